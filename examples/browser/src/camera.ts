/** @file The camera of the device: shown in a video, read frame by frame. */

/** Between two frames that are asked for. */
const PAUSE_MS = 120

export class Camera {
  /** Kept from the asking on: the answer may take as long as a prompt is open. */
  #stream: Promise<MediaStream> | undefined
  /** What uses it now; what used it before ends with its next frame. */
  #use = 0

  constructor(readonly video: HTMLVideoElement) {}

  /**
   * Gives frame after frame, until it is stopped or used for something else; what goes wrong after that is not told.
   * @param take closes the frame, or hands it on
   * @throws DOMException where there is no camera, or it may not be used; Error where the page came over http
   */
  async each(take: (frame: ImageBitmap) => Promise<void>): Promise<void> {
    // Browsers give none to a page that came over http, except from this machine.
    if (navigator.mediaDevices === undefined) throw new Error('a camera needs https or localhost: open the page there')
    const mine = ++this.#use
    const isWanted = (): boolean => mine === this.#use
    try {
      this.#stream ??= navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
      const stream = await this.#stream
      if (!isWanted()) return
      const { video } = this
      video.srcObject = stream
      video.hidden = false
      await video.play()
      while (isWanted()) {
        const frame = await createImageBitmap(video)
        if (isWanted()) await take(frame)
        else frame.close()
        await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
      }
    } catch (error) {
      if (!isWanted()) return
      this.stop() // The next use asks again.
      throw error
    }
  }

  stop(): void {
    this.#use++
    // A stream that is still asked for ends as soon as it is there.
    this.#stream?.then(
      stream => {
        for (const track of stream.getTracks()) track.stop()
      },
      () => {},
    )
    this.#stream = undefined
    this.video.srcObject = null
    this.video.hidden = true
  }
}
