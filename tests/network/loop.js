/**
 * What a browser alone takes: a sender and a receiver in one page, with nothing between them. Needs
 * the scripts of the publisher's and the viewer's page.
 */

/** Begin to film. @param {{width: number, height: number, fps: number}} picture */
window.filmLoop = async ({ width, height, fps }) => {
  window.filmed = await film(width, height, fps);
};

/**
 * Connect anew and, if told so, note the frames from now on.
 * @returns {Promise<number>} ms from where a viewer would post its offer until the first frame
 */
window.loop = async ({ reads, stays }) => {
  const video = hang();
  const sender = new RTCPeerConnection();
  const receiver = new RTCPeerConnection();
  video.srcObject = new MediaStream();
  for (const track of window.filmed.getTracks()) {
    const transceiver = receiver.addTransceiver(track.kind, { direction: "recvonly" });
    if (track.kind === "video") {
      transceiver.setCodecPreferences(RTCRtpReceiver.getCapabilities("video").codecs.filter(isH264));
    }
    video.srcObject.addTrack(transceiver.receiver.track);
    sender.addTrack(track, window.filmed);
  }
  const offer = await receiver.createOffer();
  const began = performance.now();
  const shown = firstFrame(video);
  introduce(sender, receiver);
  introduce(receiver, sender);
  await sender.setRemoteDescription(offer);
  await sender.setLocalDescription();
  await receiver.setLocalDescription(offer);
  await receiver.setRemoteDescription(sender.localDescription);
  const took_ms = (await shown) - began;
  if (stays) noteFrames(video, reads);
  else for (const peer of [sender, receiver]) peer.close();
  return took_ms;
};

/** Hand over candidates, once the other side can take them. */
function introduce(one, other) {
  const candidates = [];
  const hand = () => {
    if (other.remoteDescription) for (const candidate of candidates.splice(0)) other.addIceCandidate(candidate);
  };
  one.addEventListener("icecandidate", ({ candidate }) => {
    if (candidate) candidates.push(candidate);
    hand();
  });
  other.addEventListener("signalingstatechange", hand);
}
