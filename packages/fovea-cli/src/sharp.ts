/** @file The library that decodes and draws images, loaded when the first one is: it takes as long to load as Node itself. */
import type Sharp from 'sharp'

export async function loadSharp(): Promise<typeof Sharp> {
  const { default: sharp } = await import('sharp')
  // No image is decoded twice; libvips would keep the decoders of the last fifty, each with all that a progressive JPEG takes.
  sharp.cache(false)
  return sharp
}
