/**
 * @file What a folder of images says about itself: where the images of each split are from, and what was not taken. It is
 * kept in packed files, printed once, and part of `--json`.
 */
import { z } from 'zod'

const text = z.string().max(10_000)
const count = z.int().min(0)

const sourceSchema = z.object({
  /** Below the data folder; '' for the folder itself. */
  folder: text,
  /** If they were held out of that folder's images: which part of each class. */
  heldOut: z.number().min(0).max(1).optional(),
})

const factsSchema = z.object({
  sources: z.object({ train: sourceSchema, validation: sourceSchema.optional(), test: sourceSchema }),
  /** Folders with images of which none is used, or loose images beside class folders. */
  unused: z.array(z.object({ folder: text, images: count, why: text })),
  /** Files that are no images of a kind that is read, by ending. */
  leftOut: z.record(text, count),
  /** Folders that are one class, as their names differ in nothing that can be seen (Unicode normal form). */
  joined: z.array(z.array(text)),
})

const side = z.int().min(1)
const repeatsSchema = z.object({
  images: count,
  /** One of them after the image that it is like. */
  example: z.tuple([text, text]),
})

/** With what decoding the images tells. */
export const decodedFactsSchema = factsSchema.extend({
  /** [height, width] of the images with the shortest and the longest shorter side. */
  smallest: z.tuple([side, side]),
  largest: z.tuple([side, side]),
  /** How many are smaller than the size that all are given. */
  enlarged: count,
  /** Images that are the same, pixel for pixel, in two splits, or in two classes. */
  repeated: z.object({ acrossSplits: repeatsSchema.optional(), acrossClasses: repeatsSchema.optional() }),
})

export type DecodedFacts = z.infer<typeof decodedFactsSchema>

export type FolderFacts = z.infer<typeof factsSchema>

/** `40 .heic, 21 .txt`, the most first. */
export const formatEndings = (files: Readonly<Record<string, number>>): string =>
  Object.entries(files)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([ending, n]) => `${n.toLocaleString('en-US')} ${ending || 'without an ending'}`)
    .join(', ')
