/**
 * A WHIP publisher and a WHEP viewer on libdatachannel, put together as OBS Studio puts it together
 * (plugins/obs-webrtc): audio as mid 0 and type 111, H.264 as mid 1 and type 96, packets of at most
 * 1,200 bytes, sender reports, retransmission under the media's own SSRC, deaf to PLI.
 *
 * What it is asked and what it tells: see foreign.py.
 */
import { readFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import rtc from "node-datachannel";

const SEND_EVERY_MS = 5;
const TELL_EVERY_MS = 100;
const VIDEO_CLOCK = 90_000;
const AUDIO_CLOCK = 48_000;
const MOST_VIDEO_BYTES = 1_200;
const NACK_PACKETS = 4_000;

/** Tracks, which must outlive the garbage collector's interest in them. */
const tracks = [];

const asked = JSON.parse(process.argv[2]);
const tell = (facts) => process.stdout.write(`${JSON.stringify(facts)}\n`);

/** A file of chunks, each after its length as four bytes. */
function chunksOf(path) {
  const file = readFileSync(path);
  const chunks = [];
  for (let at = 0; at < file.length; at += 4 + file.readUInt32BE(at)) {
    chunks.push(file.subarray(at + 4, at + 4 + file.readUInt32BE(at)));
  }
  return chunks;
}

/** Hand a track its chunks at their pace, over and over; gives what stops it. */
function play(track, config, chunks, ticks) {
  const first = config.timestamp;
  const start = performance.now();
  let sent = 0;
  return setInterval(() => {
    const due = ((performance.now() - start) / 1000) * config.clockRate;
    for (; sent * ticks <= due; sent += 1) {
      config.timestamp = (first + sent * ticks) % 2 ** 32;
      track.sendMessageBinary(chunks[sent % chunks.length]);
    }
  }, SEND_EVERY_MS);
}

function addTrack(pc, media) {
  tracks.push(pc.addTrack(media));
  return tracks.at(-1);
}

function addSending(pc, media, config, packetizer) {
  packetizer.addToChain(new rtc.RtcpSrReporter(config));
  packetizer.addToChain(new rtc.RtcpNackResponder(NACK_PACKETS));
  const track = addTrack(pc, media);
  track.setMediaHandler(packetizer);
  return track;
}

function publish(pc) {
  const [ssrc, cname, stream] = [randomInt(1, 2 ** 32 - 1), "k".repeat(16), "s".repeat(16)];
  const audio = new rtc.Audio("0", "SendOnly");
  audio.addOpusCodec(111);
  audio.addSSRC(ssrc, cname, stream, `${stream}-audio`);
  const audioConfig = new rtc.RtpPacketizationConfig(ssrc, cname, 111, AUDIO_CLOCK);
  const audioTrack = addSending(pc, audio, audioConfig, new rtc.RtpPacketizer(audioConfig));

  const video = new rtc.Video("1", "SendOnly");
  video.addH264Codec(96);
  video.addSSRC(ssrc + 1, cname, stream, `${stream}-video`);
  const videoConfig = new rtc.RtpPacketizationConfig(ssrc + 1, cname, 96, VIDEO_CLOCK);
  const packetizer = new rtc.H264RtpPacketizer("StartSequence", videoConfig, MOST_VIDEO_BYTES);
  const videoTrack = addSending(pc, video, videoConfig, packetizer);

  const timers = [];
  audioTrack.onOpen(() => timers.push(play(audioTrack, audioConfig, chunksOf(asked.audio), AUDIO_CLOCK / 50)));
  videoTrack.onOpen(() => timers.push(play(videoTrack, videoConfig, chunksOf(asked.video), VIDEO_CLOCK / 30)));
  return () => timers.forEach(clearInterval);
}

/** Count what comes on a track: packets, frames by their timestamps, holes in the numbers. */
function count(track) {
  const seen = { packets: 0, frames: 0, holes: 0, ssrcs: [] };
  let [next, latest] = [null, null];
  track.setMediaHandler(new rtc.RtcpReceivingSession());
  track.onMessage((packet) => {
    const [number, timestamp, ssrc] = [packet.readUInt16BE(2), packet.readUInt32BE(4), packet.readUInt32BE(8)];
    if (!seen.ssrcs.includes(ssrc)) seen.ssrcs.push(ssrc);
    seen.holes += (number - (next ?? number)) & 0xffff;
    next = (number + 1) & 0xffff;
    seen.packets += 1;
    seen.frames += timestamp === latest ? 0 : 1;
    latest = timestamp;
  });
  return seen;
}

function watch(pc) {
  const video = new rtc.Video("0", "RecvOnly");
  video.addH264Codec(96);
  video.addVP8Codec(97);
  const audio = new rtc.Audio("1", "RecvOnly");
  audio.addOpusCodec(111);
  const [seen, heard] = [count(addTrack(pc, video)), count(addTrack(pc, audio))];
  const telling = setInterval(() => tell({ video: seen, audio: heard }), TELL_EVERY_MS);
  return () => clearInterval(telling);
}

/** RFC 9725 §4.2: the offer goes, the answer comes, the session's URL with it. */
async function negotiate(pc, headers) {
  const gathered = new Promise((resolve) => {
    pc.onGatheringStateChange((state) => { if (state === "complete") resolve(); });
  });
  pc.setLocalDescription();
  await gathered;
  const offer = pc.localDescription().sdp;
  const post = { method: "POST", headers: { ...headers, "Content-Type": "application/sdp" }, body: offer };
  const response = await fetch(asked.url, post);
  const answer = await response.text();
  tell({ offer, answer, status: response.status });
  if (response.status !== 201) throw new Error(`${response.status}: ${answer}`);
  pc.setRemoteDescription(answer, "answer");
  return new URL(response.headers.get("Location"), asked.url);
}

const pc = new rtc.PeerConnection(asked.role, { iceServers: [], bindAddress: "127.0.0.1", disableAutoNegotiation: true });
pc.onStateChange((state) => tell({ state }));
const stop = asked.role === "publish" ? publish(pc) : watch(pc);
const headers = asked.key ? { Authorization: `Bearer ${asked.key}` } : {};
const session = await negotiate(pc, headers);
process.stdin.on("end", async () => {
  stop();
  const { status } = await fetch(session, { method: "DELETE", headers });
  tell({ deleted: status });
  pc.close();
  rtc.cleanup();
});
process.stdin.resume();
