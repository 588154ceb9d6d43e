/**
 * A page that watches a show with the shop's own player and nothing around it, and notes every
 * frame that came to the screen: `at`, in ms since the epoch, when it was handed to the compositor;
 * `count`, frames presented so far; `height`; and, if asked for, `drawn`, what the strip on top of
 * the picture says.
 */
window.frames = [];
window.states = [];

/** @param {{module: string, url: string, reads: boolean}} what `module`: where the player is */
window.watch = async ({ module, url, reads }) => {
  const { WhepPlayer } = await import(module);
  const video = hang();
  noteFrames(video, reads);
  window.player = new WhepPlayer(video, url, (state) => window.states.push(state));
  window.player.start();
};

/**
 * Watch until the first frame is there, and leave.
 * @returns {Promise<number>} ms from the POST until that frame was handed to the compositor
 */
window.join = async ({ module, url }) => {
  const { WhepPlayer } = await import(module);
  const video = hang();
  const player = new WhepPlayer(video, url, () => {});
  performance.clearResourceTimings();
  player.start();
  const shown_at = await firstFrame(video);
  const posted = performance.getEntriesByType("resource").find((entry) => entry.name.endsWith(url));
  player.stop();
  return shown_at - posted.startTime;
};

/** A video on the otherwise empty page. */
function hang() {
  const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true, playsInline: true });
  video.style.width = "270px";
  document.querySelector("video")?.remove();
  document.body.append(video);
  return video;
}

function firstFrame(video) {
  return new Promise((resolve) => {
    video.requestVideoFrameCallback((_, { presentationTime }) => resolve(presentationTime));
  });
}

function noteFrames(video, reads) {
  const note = (_, { presentationTime, presentedFrames, height }) => {
    const drawn = reads ? readStrip(video) : null;
    const seen_at = performance.timeOrigin + performance.now();
    window.frames.push({ at: performance.timeOrigin + presentationTime, count: presentedFrames, height, drawn, seen_at });
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}

/** What getStats tells of the picture that comes in; null before there is any. */
window.inbound = async () => {
  const rows = [...((await window.player?.pc?.getStats())?.values() ?? [])];
  return rows.find((row) => row.type === "inbound-rtp" && row.kind === "video") ?? null;
};

/** Let time pass, and give what came to the screen meanwhile. */
window.look = async (duration_ms) => {
  const first = window.frames.length;
  const began = performance.timeOrigin + performance.now();
  await new Promise((resolve) => setTimeout(resolve, duration_ms));
  return { began, ended: performance.timeOrigin + performance.now(), frames: window.frames.slice(first) };
};

const CELLS = 48;
const strip = Object.assign(document.createElement("canvas"), { width: 720, height: 16 });
const brush = strip.getContext("2d", { willReadFrequently: true });

/** The strip of 48 light or dark cells: ms since the epoch, most significant bit first. */
function readStrip(video) {
  const height = Math.round((video.videoHeight * 16) / 1280);
  brush.drawImage(video, 0, 0, video.videoWidth, height, 0, 0, 720, 16);
  const row = brush.getImageData(0, 8, 720, 1).data;
  let time_ms = 0;
  for (let cell = 0; cell < CELLS; cell += 1) {
    const light = row[Math.floor(((cell + 0.5) * 720) / CELLS) * 4 + 1] > 128;
    time_ms = time_ms * 2 + (light ? 1 : 0);
  }
  return time_ms;
}

// Scripts of one page do not see each other's names.
Object.assign(window, { hang, firstFrame, noteFrames });
