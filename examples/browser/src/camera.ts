/** @file The camera of the device: shown in a video, read frame by frame. */

/** Between two frames that are asked for. */
const PAUSE_MS = 120

export class Camera {
  #stream: MediaStream | undefined
  /** What uses it now; what used it before ends with its next frame. */
  #use = 0

  constructor(readonly video: HTMLVideoElement) {}

  /**
   * Gives frame after frame, until it is stopped or used for something else.
   * @param take closes the frame, or hands it on
   * @throws DOMException where there is no camera, or it may not be used
   */
  async each(take: (frame: ImageBitmap) => Promise<void>): Promise<void> {
    const mine = ++this.#use
    this.#stream ??= await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
    const { video } = this
    video.srcObject = this.#stream
    video.hidden = false
    await video.play()
    while (mine === this.#use) {
      await take(await createImageBitmap(video))
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
  }

  stop(): void {
    this.#use++
    for (const track of this.#stream?.getTracks() ?? []) track.stop()
    this.#stream = undefined
    this.video.srcObject = null
    this.video.hidden = true
  }
}
