/** @file Files by class, from a folder that was chosen or dropped: the class of a file is the folder that it lies in. Knows no page. */
import { isOfSystem } from '../data/system-files.js'
import { InvalidArgumentError } from '../errors.js'
import { checkArguments } from '../settings/group.js'
import { thing } from '../settings/kinds.js'

/** As much of a `File` as tells its class. */
export interface ChosenFile {
  readonly name: string
  /** `photos/cat/1.jpg` */
  readonly webkitRelativePath: string
}

/** A file, and where it lies. */
export interface PlacedFile<F> {
  readonly file: F
  /** `photos/cat/1.jpg` */
  readonly path: string
}

const isFile = (value: unknown): value is ChosenFile =>
  typeof value === 'object' && value !== null && 'webkitRelativePath' in value

const chosenArguments = {
  files: thing(
    'of a folder',
    'other',
    "files, as the `files` of <input type='file' webkitdirectory>",
    (value): value is ArrayLike<ChosenFile> =>
      typeof value === 'object' &&
      value !== null &&
      'length' in value &&
      Array.from(value as ArrayLike<unknown>).every(isFile),
  ),
}

/**
 * The files of `<input type="file" webkitdirectory>` by class, each in the folder that it lies in: of `photos/cat/1.jpg`, `cat`. Classes
 * and files are sorted by name; hidden files and those that systems leave are passed over. Folders of one name are one class, wherever they
 * lie: choose `train` and `test` each by itself.
 * @throws InvalidArgumentError where a browser gives files without their folders, as some phones' do
 */
export function chosenFolders<F extends ChosenFile>(files: ArrayLike<F>): Map<string, F[]> {
  checkArguments(chosenArguments, { files })
  return byFolder(
    Array.from(files, file => {
      const path = file.webkitRelativePath
      if (!path.includes('/'))
        throw new InvalidArgumentError(
          `'${file.name}': this browser does not tell its folder; give files class by class`,
        )
      return { file, path }
    }),
  )
}

/** Files by the folder that they lie in. */
export function byFolder<F>(files: readonly PlacedFile<F>[]): Map<string, F[]> {
  const classes = new Map<string, PlacedFile<F>[]>()
  for (const placed of files) {
    const parts = placed.path.split('/')
    if (parts.some(isOfSystem)) continue
    // Some systems write é as e and an accent.
    const name = parts[parts.length - 2].normalize('NFC')
    const own = classes.get(name) ?? []
    if (own.push(placed) === 1) classes.set(name, own)
  }
  const inOrder =
    <T>(order: (item: T) => string) =>
    (a: T, b: T) =>
      order(a) < order(b) ? -1 : Number(order(a) > order(b))
  return new Map(
    [...classes]
      .sort(inOrder(([name]) => name))
      .map(([name, placed]) => [name, placed.sort(inOrder(({ path }) => path)).map(({ file }) => file)]),
  )
}
