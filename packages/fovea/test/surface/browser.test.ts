/** @file Claims about what `fovea/browser` exports: whatever is given in the place of an argument is refused in words, before the browser is asked. */
import { expect, test } from 'vitest'
import { type Argument, expectRefusals, functionsOf, optional, required } from './mistakes.js'

// By an address: its types are a page's, which Node's tests do not have.
const browser: Readonly<Record<string, unknown>> = await import(
  new URL('../../src/browser/index.ts', import.meta.url).href
)

/** In Node there is none: it says that it is one. */
const thing = (kind: string): object => ({ [Symbol.toStringTag]: kind })
const picture = thing('File')
const resizing = { crop: 1, interpolation: 'lanczos' }

/** Right arguments of every function, as far as Node can tell. */
const calls: Readonly<Record<string, readonly Argument[]>> = {
  chosenFolders: [required([], 'an empty list')],
  decodeImage: [required(picture), required([8, 8, 3]), optional(resizing)],
  droppedFolders: [required(thing('DataTransferItemList'))],
  imageDataset: [required(new Map([['cat', [picture]]])), required({ size: [8, 8, 3] })],
}

test('the table has every function', () => {
  expect(Object.keys(calls)).toEqual(functionsOf(browser))
})

test.each(Object.entries(calls))('%s refuses in words', (name, given) => expectRefusals(browser[name], given))

test.each([
  [[new Map(), { size: [8, 8, 3] }], 'pictures: there are none'],
  [[new Map([['cat', []]]), { size: [8, 8, 3] }], 'pictures.cat: a class needs a picture, and has none'],
  [[new Map([['cat', ['cat.jpg']]]), { size: [8, 8, 3] }], 'pictures.cat.0: expected a File, Blob, ImageBitmap'],
  [[new Map([['cat', [picture]]]), { size: [8, 8, 4] }], 'size.2: expected 3 (RGB) or 1 (grey), got 4'],
  [[{ cat: [picture] }, { size: [8, 8, 3] }], "pictures: expected pictures by class, as new Map([['cat', files]"],
])('imageDataset: %#', async (given, message) => {
  await expect((browser['imageDataset'] as (...values: unknown[]) => Promise<unknown>)(...given)).rejects.toThrow(
    message,
  )
})
