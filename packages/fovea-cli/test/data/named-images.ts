/** @file A folder of files named like images, of which the names count and not what is in them, and what is found there. */
import { join } from 'node:path'
import { type FolderScan, type SplitOptions, scanFolder } from '../../src/data/folder-scan.js'
import { temporaryFolder } from './temporary-folder.js'

/** For the tests of one file: `photos` is a folder that each test fills anew. */
export function namedImages() {
  const temporary = temporaryFolder()
  const photos = (): string => temporary.path('photos')

  /** `put('train/cat', 3)`. */
  function put(folder: string, count: number, ending = '.jpg'): void {
    for (let i = 0; i < count; i++) temporary.write(`photos/${folder}/${i}${ending}`, 'x')
  }

  function classFolders(split: string, count: number): void {
    for (const name of ['cat', 'dog']) put(join(split, name), count)
  }

  /** `train/cat/0.jpg` … of each split. */
  function scan(options: SplitOptions = {}) {
    const { classes, images, facts }: FolderScan = scanFolder(photos(), options)
    const of = (split: string) => images.filter(image => image.split === split).map(({ path }) => path)
    return { classes, images, facts, train: of('train'), validation: of('validation'), test: of('test') }
  }
  return { temporary, photos, put, classFolders, scan }
}
