/**
 * What WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) share: one offer, one answer, a session
 * resource that is deleted when it is over, and loss that is noticed.
 */

const LOST_AFTER_MS = 4_000;
const CONNECT_WITHIN_MS = 12_000;

/** The server did not take the offer; `code` is its word for why, or "", `retryAfterMs` its wish or null. */
export class Refused extends Error {
  constructor(status, code, retryAfterMs) {
    super(`the server answered ${status} ${code}`);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Make the offer, post it, take the answer. The offer carries no candidates: the server has a
 * public address and learns ours from our checks. TURN servers come with the answer, so gathering
 * begins only then.
 * @param {RTCPeerConnection} pc
 * @param {string|URL} url
 * @param {{bearer?: string, signal?: AbortSignal, heed?: (answer: string) => string}} [options] `heed`: the answer as the browser shall take it
 * @returns {Promise<string|null>} the session's URL
 * @throws {Refused}
 */
export async function negotiate(pc, url, { bearer, signal, heed = (answer) => answer } = {}) {
  const offer = await pc.createOffer();
  const headers = { "Content-Type": "application/sdp", Accept: "application/sdp" };
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  const response = await fetch(url, { method: "POST", headers, body: offer.sdp, signal, cache: "no-store" });
  if (response.status !== 201) throw new Refused(response.status, await codeOf(response), retryAfter(response));
  const location = response.headers.get("Location");
  const session = location ? new URL(location, response.url).href : null;
  try {
    const answer = heed(await response.text());
    const iceServers = iceServersOf(response.headers.get("Link"));
    if (iceServers.length) pc.setConfiguration({ ...pc.getConfiguration(), iceServers });
    await pc.setLocalDescription(offer);
    await pc.setRemoteDescription({ type: "answer", sdp: answer });
  } catch (error) {
    endSession(session, bearer);
    throw error;
  }
  return session;
}

/** Tell the server that a session is over; also works while the page goes away. */
export function endSession(session, bearer) {
  if (!session) return;
  const headers = bearer ? { Authorization: `Bearer ${bearer}` } : {};
  fetch(session, { method: "DELETE", headers, keepalive: true }).catch(() => {});
}

/**
 * Call `lost` once when the connection fails, stays away, or never comes to be; `dismissed` when the
 * server ended it, which it says by closing DTLS.
 * @param {RTCPeerConnection} pc
 * @param {{connected: () => void, lost: (how: {dismissed: boolean}) => void}} listener
 */
export function watchConnection(pc, { connected, lost }) {
  let over = false;
  const end = (dismissed = false) => {
    if (over || pc.connectionState === "closed") return;
    over = true;
    lost({ dismissed });
  };
  let timer = setTimeout(end, CONNECT_WITHIN_MS);
  const watched = new Set();
  const watchTransport = () => {
    for (const { sender, receiver } of pc.getTransceivers()) {
      const transport = sender.transport ?? receiver.transport;
      if (!transport || watched.has(transport)) continue;
      watched.add(transport);
      transport.addEventListener("statechange", () => { if (transport.state === "closed") end(true); });
    }
  };
  pc.addEventListener("connectionstatechange", () => {
    clearTimeout(timer);
    watchTransport();
    if (pc.connectionState === "connected") connected();
    else if (pc.connectionState === "failed") end();
    else if (pc.connectionState === "disconnected") timer = setTimeout(end, LOST_AFTER_MS);
    else if (pc.connectionState === "connecting") timer = setTimeout(end, CONNECT_WITHIN_MS);
  });
}

/** Full jitter: anywhere between nothing and the doubling limit. */
export function backoff(failures, first_ms = 1_000, most_ms = 20_000) {
  return Math.random() * Math.min(most_ms, first_ms * 2 ** failures);
}

/** The code of a problem (RFC 9457), "" where there is none. */
async function codeOf(response) {
  try {
    return String((await response.json()).code ?? "");
  } catch {
    return "";
  }
}

function retryAfter(response) {
  const text = response.headers.get("Retry-After");
  if (!text) return null;
  const seconds = Number(text);
  const wait_ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait_ms) ? Math.min(Math.max(wait_ms, 500), 60_000) : null;
}

/** The ICE servers of a Link header (RFC 9725, section 4.6). */
function iceServersOf(header) {
  const servers = [];
  for (const [, url, rest] of (header ?? "").matchAll(/<([^>]+)>([^<]*)/g)) {
    const parameter = (name) => new RegExp(`;\\s*${name}="([^"]*)"`, "i").exec(rest)?.[1];
    if (parameter("rel") !== "ice-server") continue;
    const [username, credential] = [parameter("username"), parameter("credential")];
    servers.push(username ? { urls: url, username, credential } : { urls: url });
  }
  return servers;
}
