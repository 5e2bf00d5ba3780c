/** @file The few SVG elements that the reports are drawn with, as strings, and their colours. Knows nothing of training. */
import { printable } from '../printable.js'

/** A place in the picture, in pixels. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export const colors = {
  ink: '#1f2328',
  muted: '#656d76',
  rule: '#d8dee4',
  paper: '#ffffff',
  /** Where there is nothing: no images of a cell, the bars beside an image. */
  empty: '#f6f8fa',
  /** Training and held-out images, in every curve. Blue and orange differ for colour-blind readers too. */
  training: '#0969da',
  validation: '#d4700a',
  /** What lies behind, such as single steps behind their mean. */
  faint: '#8ab4e8',
  right: '#1a7f37',
  wrong: '#cf222e',
} as const

export interface TextStyle {
  readonly size?: number
  readonly color?: string
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly weight?: 'normal' | 'bold'
  /** Degrees, around the text's own anchor. */
  readonly rotate?: number
}

const round = (value: number): number => Math.round(value * 100) / 100

/** Text from outside (class and file names) must not become markup. */
export const escapeText = (text: string): string =>
  // XML allows no control characters, not even escaped.
  printable(text).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 13, color = colors.ink, anchor = 'start', weight = 'normal', rotate } = style
  const turn = rotate === undefined ? '' : ` transform="rotate(${rotate} ${round(x)} ${round(y)})"`
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${color}" text-anchor="${anchor}" font-weight="${weight}"${turn}>${escapeText(content)}</text>`
}

export const line = (x1: number, y1: number, x2: number, y2: number, color: string = colors.rule): string =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${color}"/>`

/** A vertical line of dashes. */
export const dashed = (x: number, y1: number, y2: number, color: string): string =>
  `<line x1="${round(x)}" y1="${round(y1)}" x2="${round(x)}" y2="${round(y2)}" stroke="${color}" stroke-width="1.5" stroke-dasharray="6 5"/>`

export const rect = ({ x, y, width, height }: Box, attributes: string): string =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" ${attributes}/>`

export const polyline = (points: readonly (readonly [number, number])[], color: string, width = 2.5): string =>
  `<polyline points="${points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linejoin="round" stroke-linecap="round"/>`

export const circle = (x: number, y: number, radius: number, color: string): string =>
  `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${color}"/>`

/** `content` in a document of its own, on white. */
export const document = (width: number, height: number, content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="'DejaVu Sans', 'Liberation Sans', Helvetica, Arial, sans-serif">${rect({ x: 0, y: 0, width, height }, `fill="${colors.paper}"`)}${content}</svg>`

/** Clips what is drawn to a box. */
export const clipped = ({ x, y, width, height }: Box, content: string): string =>
  `<svg x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" viewBox="${round(x)} ${round(y)} ${round(width)} ${round(height)}">${content}</svg>`

/** The middle of a text that is wider than `width` pixels gives way: `Ankle…oot`; its ends tell names apart best. */
export function fit(name: string, width: number, style: TextStyle = {}): string {
  const content = printable(name)
  if (textWidth(content, style) <= width) return content
  const letters = [...content]
  for (let kept = letters.length - 1; kept > 1; kept--) {
    const tail = Math.floor(kept / 3)
    const [head, end] = [letters.slice(0, kept - tail).join(''), letters.slice(letters.length - tail).join('')]
    const shorter = `${head.trimEnd()}…${end.trimStart()}`
    if (textWidth(shorter, style) <= width) return shorter
  }
  return `${letters[0]}…`
}

/** The pixels that a text takes, about: viewers set it in other fonts. */
export function textWidth(content: string, { size = 13, weight = 'normal' }: TextStyle = {}): number {
  const em = size * (weight === 'bold' ? 1.1 : 1)
  return [...content].reduce((sum, letter) => sum + em * relativeWidth(letter), 0)
}

/** In parts of the font's size. */
function relativeWidth(letter: string): number {
  if (/[\u1100-\u11ff\u2e80-\u{10ffff}]/u.test(letter)) return 1.05
  if (/[mwMW@%…]/.test(letter)) return 0.97
  if (/[A-Z0-9&]/.test(letter)) return 0.68
  return /[ijltfr.,:;'|!()/ ]/.test(letter) ? 0.39 : 0.61
}
