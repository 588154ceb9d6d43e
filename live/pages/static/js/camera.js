/**
 * The seller's camera and microphone. One stream for its whole life: turning to the other camera
 * exchanges a track, so preview and publisher go on.
 */

const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Why there is no camera; `reason` ends a string key: insecure, denied, missing or busy. */
export class CameraError extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const REASONS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing", OverconstrainedError: "missing" };

export class Camera {
  /** @param {HTMLVideoElement} preview */
  constructor(preview) {
    this.preview = preview;
    /** @type {MediaStream|null} */
    this.stream = null;
    this.facing = "user";
    this.device = "";
  }

  /** Ask for camera and microphone. @throws {CameraError} */
  async start() {
    if (this.stream) return;
    this.stream = await open({ video: { ...VIDEO, facingMode: this.facing }, audio: AUDIO });
    this.#show();
  }

  /** The other camera: front and back on a phone, the next one on a computer. @returns {Promise<MediaStreamTrack>} */
  async flip() {
    const old = this.stream.getVideoTracks()[0];
    const settings = old.getSettings();
    const onPhone = Boolean(settings.facingMode);
    const wanted = onPhone ? { facingMode: this.facing === "user" ? "environment" : "user" } : { deviceId: { exact: await this.#nextDevice(settings.deviceId) } };
    old.stop(); // phones open only one camera at a time
    const fresh = (await open({ video: { ...VIDEO, ...wanted } })).getVideoTracks()[0];
    if (onPhone) this.facing = wanted.facingMode;
    this.stream.removeTrack(old);
    this.stream.addTrack(fresh);
    this.#show();
    return fresh;
  }

  /** @returns {boolean} whether there is a microphone and it is on */
  get hears() {
    return this.stream?.getAudioTracks().some((track) => track.enabled) ?? false;
  }

  /** @param {boolean} on */
  setMicrophone(on) {
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = on;
  }

  #show() {
    this.preview.srcObject = this.stream;
    const settings = this.stream.getVideoTracks()[0]?.getSettings() ?? {};
    this.preview.classList.toggle("mirrored", (settings.facingMode ?? "user") === "user");
    this.preview.play().catch(() => {}); // a muted preview may always play; a hidden page waits
  }

  async #nextDevice(current) {
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
    const at = cameras.findIndex((device) => device.deviceId === current);
    return cameras[(at + 1) % cameras.length].deviceId;
  }
}

async function open(wanted) {
  if (!navigator.mediaDevices) throw new CameraError("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    if (error.name === "NotFoundError" && wanted.audio) return open({ video: wanted.video });
    throw new CameraError(REASONS[error.name] ?? "busy");
  }
}
