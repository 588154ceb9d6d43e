/**
 * How long a viewer's frames may wait. On a network that loses nothing they are shown at once. Where
 * packets are lost and repeated, they are shown a little later, so that what is repeated comes in
 * time: the picture stays smooth instead of jumping. Browsers know this delay as
 * `jitterBufferTarget`; one that does not is left to its own judgement.
 */
const LOOK_EVERY_MS = 500;
const REMEMBER_LOOKS = 20;
/** Fewer repairs than this in ten seconds are not worth a delay. */
const REPAIRS_LEAST = 3;
/** A gap is noticed when the next frame comes. */
const NOTICE_MS = 35;
/** Chromium, which knows no round trip where it only receives, asks again after so long. */
const ASK_AGAIN_MS = 100;
const MOST_MS = 400;

/**
 * The wait that lets most repairs come in time, the second try included.
 * @param {number} rtt_ms
 * @param {number} repairs asked for in the last ten seconds
 * @returns {number|null} ms; null for the browser's own choice
 */
export function patience(rtt_ms, repairs) {
  return repairs < REPAIRS_LEAST ? null : Math.min(NOTICE_MS + Math.max(rtt_ms, ASK_AGAIN_MS) + rtt_ms, MOST_MS);
}

/** Keep the picture's delay in step with its network until the connection is closed. @param {RTCPeerConnection} pc */
export function keepPatience(pc) {
  const receiver = pc.getReceivers().find((one) => one.track.kind === "video");
  if (!receiver || !("jitterBufferTarget" in receiver)) return;
  const asked = [];
  const timer = setInterval(async () => {
    if (pc.connectionState === "closed") return clearInterval(timer);
    const rows = [...(await pc.getStats()).values()];
    const picture = rows.find((row) => row.type === "inbound-rtp" && row.kind === "video");
    const path = rows.find((row) => row.type === "candidate-pair" && row.nominated);
    if (!picture || path?.currentRoundTripTime === undefined) return undefined;
    asked.push(picture.nackCount ?? 0);
    if (asked.length > REMEMBER_LOOKS) asked.shift();
    receiver.jitterBufferTarget = patience(path.currentRoundTripTime * 1000, asked.at(-1) - asked[0]);
    return undefined;
  }, LOOK_EVERY_MS);
}
