/**
 * A page that publishes a picture which never compresses well, so that each layer takes the bitrate
 * it is given: moving noise, a beep, and on top the strip that says when it was drawn, 48 light or
 * dark cells, ms since the epoch, most significant bit first.
 */
const CELLS = 48;
const STRIP = 1 / 12;
const NOISE_SIDE = 256;

/**
 * @param {{module: string, url: string, key: string, width: number, height: number, fps: number,
 *   layers: RTCRtpEncodingParameters[]}} what `module`: where the shop's own WHIP client is
 */
window.publish = async ({ module, url, key, width, height, fps, layers }) => {
  const { negotiate } = await import(module);
  const stream = await film(width, height, fps);
  window.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const track of stream.getTracks()) {
    const sendEncodings = track.kind === "video" ? layers : [{}];
    const transceiver = window.pc.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings });
    if (track.kind === "video") {
      transceiver.setCodecPreferences(RTCRtpSender.getCapabilities("video").codecs.filter(isH264));
    }
  }
  await negotiate(window.pc, url, { bearer: key });
  for (const sender of window.pc.getSenders()) {
    await sender.setParameters({ ...sender.getParameters(), degradationPreference: "maintain-resolution" });
  }
};

/** What the browser thinks it may send, bit/s. */
window.estimate = async () => {
  const rows = [...(await window.pc.getStats()).values()];
  return rows.find((row) => row.type === "candidate-pair" && row.nominated)?.availableOutgoingBitrate ?? 0;
};

/** What getStats tells of the picture that goes out, a row for each layer. */
window.outbound = async () => {
  const rows = [...(await window.pc.getStats()).values()];
  return rows.filter((row) => row.type === "outbound-rtp" && row.kind === "video");
};

const isH264 = (codec) => ["video/h264", "video/rtx"].includes(codec.mimeType.toLowerCase());

/** Picture and sound. */
async function film(width, height, fps) {
  const stream = paint(width, height, fps).captureStream(fps);
  for (const track of (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks()) stream.addTrack(track);
  return stream;
}

function paint(width, height, fps) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  document.body.append(canvas);
  const brush = canvas.getContext("2d");
  const noise = brush.createPattern(noiseOf(NOISE_SIDE), "repeat");
  let frame = 0;
  setInterval(() => {
    frame += 1;
    paintNoise(brush, noise, 0, [0, 0, width, height]);
    paintNoise(brush, noise, frame * 3, [width / 4, height / 4, width / 2, height / 2]);
    paintStrip(brush, width, Math.round(height * STRIP), performance.timeOrigin + performance.now());
  }, 1000 / fps);
  return canvas;
}

function paintNoise(brush, noise, moved, area) {
  brush.save();
  brush.beginPath();
  brush.rect(...area);
  brush.clip();
  brush.translate(-(moved % NOISE_SIDE), -(moved % NOISE_SIDE));
  brush.fillStyle = noise;
  brush.fillRect(0, 0, brush.canvas.width + NOISE_SIDE, brush.canvas.height + NOISE_SIDE);
  brush.restore();
}

function noiseOf(side) {
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const brush = canvas.getContext("2d");
  for (let count = 0; count < side * 4; count += 1) {
    brush.fillStyle = `hsl(${Math.random() * 360} 60% ${30 + Math.random() * 40}%)`;
    brush.fillRect(Math.random() * side, Math.random() * side, 24, 24);
  }
  return canvas;
}

function paintStrip(brush, width, height, time_ms) {
  let rest = Math.round(time_ms);
  for (let cell = CELLS - 1; cell >= 0; cell -= 1) {
    brush.fillStyle = rest % 2 ? "white" : "black";
    brush.fillRect((cell * width) / CELLS, 0, width / CELLS + 1, height);
    rest = Math.floor(rest / 2);
  }
}

// Scripts of one page do not see each other's names.
Object.assign(window, { film, isH264 });
