/**
 * The seller's picture in several sizes at once (simulcast, RFC 8853), so that each viewer gets the one
 * that fits. All sizes share the bitrate the seller chose; a small one leaves the largest size out.
 */

/** Encoding three sizes takes about 1.4 times the work of one: with fewer cores the phone gets hot. */
const CORES_LEAST = 4;

/** Sizes from small to large, and their shares of the bitrate: what the small ones need, the rest for the largest. */
const LAYERS = [
  { rid: "q", scaleResolutionDownBy: 4, bitrate: 120_000 },
  { rid: "h", scaleResolutionDownBy: 2, bitrate: 400_000 },
  { rid: "f", scaleResolutionDownBy: 1, bitrate: 600_000 },
];

/** Chromium begins at 300 kbit/s and takes seconds to find out that a network carries more. */
const START_SHARE = 0.5;
const START_MOST = 1_000_000;

/** Whether this device should send several sizes. */
function sendsLayers() {
  // Firefox encodes H.264 in one size only
  return (navigator.hardwareConcurrency ?? 1) >= CORES_LEAST && !navigator.userAgent.includes("Firefox/");
}

/**
 * What each size may take: none gets less than it needs, and the largest that fits gets what is left.
 * @param {number} maxBitrate bit/s of all together
 * @returns {RTCRtpEncodingParameters[]} from small to large
 */
export function layersOf(maxBitrate) {
  let left = maxBitrate;
  const fit = LAYERS.filter(({ bitrate }) => {
    left -= bitrate;
    return left >= 0;
  });
  const spare = maxBitrate - fit.reduce((sum, { bitrate }) => sum + bitrate, 0);
  return LAYERS.map(({ bitrate, ...layer }) => ({
    ...layer,
    active: fit.some(({ rid }) => rid === layer.rid),
    maxBitrate: layer.rid === fit.at(-1)?.rid ? bitrate + spare : bitrate,
  }));
}

/**
 * Send the camera, in several sizes where the device can.
 * @param {RTCPeerConnection} pc
 * @param {MediaStreamTrack} track
 * @param {MediaStream} stream
 * @param {number} maxBitrate bit/s
 */
export function addCamera(pc, track, stream, maxBitrate) {
  const given = { direction: "sendonly", streams: [stream] };
  if (sendsLayers()) {
    try {
      return pc.addTransceiver(track, { ...given, sendEncodings: layersOf(maxBitrate) });
    } catch {
      // a browser without simulcast
    }
  }
  return pc.addTransceiver(track, given);
}

/**
 * Keep to a bitrate. An answer that took no simulcast has left one encoding, which gets all of it.
 * @param {RTCPeerConnection} pc
 * @param {number} maxBitrate bit/s of all sizes together
 */
export async function limitBitrate(pc, maxBitrate) {
  const sender = pc.getSenders().find((one) => one.track?.kind === "video");
  const parameters = sender?.getParameters();
  if (!parameters?.encodings?.length) return;
  if (parameters.encodings.length === 1) {
    Object.assign(parameters.encodings[0], { active: true, scaleResolutionDownBy: 1, maxBitrate });
  } else {
    for (const layer of layersOf(maxBitrate)) {
      const { active, maxBitrate: most } = layer;
      Object.assign(parameters.encodings.find(({ rid }) => rid === layer.rid) ?? {}, { active, maxBitrate: most });
    }
  }
  await sender.setParameters(parameters);
}

/**
 * The server's answer, with the bitrate to begin at where the browser knows that word.
 * @param {string} sdp
 * @param {number} maxBitrate bit/s of all sizes together
 */
export function startingAt(sdp, maxBitrate) {
  const type = /^m=video \d+ \S+ (\d+)/m.exec(sdp)?.[1];
  if (!type) return sdp;
  const said = `x-google-start-bitrate=${Math.round(Math.min(maxBitrate * START_SHARE, START_MOST) / 1000)}`;
  const format = new RegExp(`^a=fmtp:${type} [^\r\n]*`, "m");
  if (format.test(sdp)) return sdp.replace(format, (line) => `${line};${said}`);
  return sdp.replace(new RegExp(`^a=rtpmap:${type} [^\r\n]*`, "m"), (line) => `${line}\r\na=fmtp:${type} ${said}`);
}
