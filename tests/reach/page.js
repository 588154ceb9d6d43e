/**
 * A page that watches or publishes with the shop's own player and publisher and nothing around
 * them. Its connections may take no other way than `limits` says: which ICE transport policy, and
 * which of the servers that came with the answer.
 */
const Connection = window.RTCPeerConnection;

/** @param {{policy: string, servers: string}} limits `servers`: a pattern of URLs */
window.limit = ({ policy, servers }) => {
  window.told = [];
  window.RTCPeerConnection = class extends Connection {
    constructor(configuration = {}) {
      super({ ...configuration, iceTransportPolicy: policy });
    }
    setConfiguration(configuration) {
      window.told = configuration.iceServers ?? [];
      const iceServers = window.told.filter(({ urls }) => new RegExp(servers).test(urls));
      super.setConfiguration({ ...configuration, iceServers });
    }
  };
};

/** @param {{module: string, url: string}} what `module`: where the player is */
window.watch = async ({ module, url }) => {
  const { WhepPlayer } = await import(module);
  const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true, playsInline: true });
  document.body.replaceChildren(video);
  window.states = [];
  window.client = new WhepPlayer(video, url, (state) => window.states.push(state));
  window.client.start();
};

/** @param {{module: string, url: string, key: string}} what `module`: where the publisher is */
window.publish = async ({ module, url, key }) => {
  const { WhipPublisher } = await import(module);
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  window.states = [];
  window.client = new WhipPublisher(stream, { url, key, maxBitrate: 800_000 }, (state) => window.states.push(state));
  window.client.start();
};

const rows = async () => [...((await window.client?.pc?.getStats())?.values() ?? [])];

/** How many pictures were decoded, or sent, on the present connection. */
window.pictures = async () => {
  let sum = 0;
  for (const row of await rows()) {
    if (row.kind === "video") sum += (row.type === "inbound-rtp" && row.framesDecoded) || (row.type === "outbound-rtp" && row.framesSent) || 0;
  }
  return sum;
};

/** Wait until there are so many. */
window.enough = async (wanted) => {
  while ((await window.pictures()) < wanted) await new Promise((resolve) => setTimeout(resolve, 50));
};

/** The two ends of the selected candidate pair; null before there is one. */
window.way = async () => {
  const all = await rows();
  const find = (id) => all.find((row) => row.id === id);
  const pair = find(all.find((row) => row.type === "transport")?.selectedCandidatePairId);
  if (!pair) return null;
  const [local, remote] = [find(pair.localCandidateId), find(pair.remoteCandidateId)];
  return {
    local_type: local.candidateType,
    local_address: local.address ?? "",
    relay_protocol: local.relayProtocol ?? "",
    protocol: remote.protocol,
    remote_address: remote.address,
    remote_port: remote.port,
  };
};
