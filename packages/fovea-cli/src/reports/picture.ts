/** @file From a drawing to a file, its heading, and images for it. What is drawn: run-picture.ts and its neighbours. */
import { existsSync } from 'node:fs'
import { writeFileAtomic } from '../files.js'
import { loadSharp } from '../sharp.js'
import { colors, document, fit, text } from './svg.js'

/** Of every picture's margins, and of its head; drawings begin at `headHeight`. */
export const margin = 40
export const headHeight = 122

/** A title, and a line that says what was measured, over a picture of that width. */
export function heading(title: string, subtitle: string, width: number): string {
  const style = { size: 26, weight: 'bold' } as const
  return [
    text(margin, 56, fit(title, width - 2 * margin, style), style),
    text(margin, 84, fit(subtitle, width - 2 * margin, { size: 15 }), { size: 15, color: colors.muted }),
  ].join('')
}

/** The files of which writePicture writes one. */
export const pictureFiles = (path: string): readonly string[] => [`${path}.png`, `${path}.svg`]

/**
 * Writes the picture as PNG; where the machine has no font to set text with, as SVG.
 * @param path without ending
 * @returns the path written
 */
export async function writePicture(svg: string, path: string): Promise<string> {
  const sharp = await loadSharp()
  const drawn = await hasFont(sharp)
  const file = `${path}.${drawn ? 'png' : 'svg'}`
  await writeFileAtomic(file, drawn ? await sharp(Buffer.from(svg)).png({ compressionLevel: 9 }).toBuffer() : svg)
  return file
}

/** Whether letters can be drawn: without fonts every letter is the same empty box. */
async function hasFont(sharp: Awaited<ReturnType<typeof loadSharp>>): Promise<boolean> {
  // Looked at first, because the text library complains on stderr where its configuration is missing.
  if (process.platform === 'linux' && !existsSync('/etc/fonts')) return false
  const draw = (letter: string): Promise<Buffer> =>
    sharp(Buffer.from(document(40, 40, text(5, 30, letter, { size: 30 }))))
      .raw()
      .toBuffer()
  return !(await draw('i')).equals(await draw('W'))
}

/**
 * 8-bit pixels [height, width, channels] as a data URI of a PNG.
 * @param size the pixels of the place where it is shown: a larger image is made smaller
 */
export async function imageUri(
  pixels: Uint8Array,
  [h, w, channels]: readonly [number, number, number],
  size: number,
): Promise<string> {
  const raw = { width: w, height: h, channels: channels as 1 | 3 }
  const options = { width: size, height: size, fit: 'inside', withoutEnlargement: true } as const
  const sharp = await loadSharp()
  const png = await sharp(pixels, { raw }).resize(options).png().toBuffer()
  return `data:image/png;base64,${png.toString('base64')}`
}
