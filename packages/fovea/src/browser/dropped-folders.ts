/** @file Files by class, from folders that were dropped onto a page. */
import { FormatError } from '../errors.js'
import { typeOf } from '../settings/describe.js'
import { checkArguments } from '../settings/group.js'
import { thing } from '../settings/kinds.js'
import { byFolder, type PlacedFile } from './folders.js'

const dropArguments = {
  items: thing(
    'of a drop',
    'other',
    'the `items` of what was dropped (event.dataTransfer.items)',
    (value): value is DataTransferItemList => typeOf(value) === 'DataTransferItemList',
  ),
}

/**
 * The files of dropped folders by class, as `chosenFolders` has them; files that were dropped without a folder are of the class `dropped`.
 * Call it within the event: later there is nothing to be read.
 * @param items `event.dataTransfer.items`
 * @throws FormatError naming a file or folder that cannot be read
 */
export async function droppedFolders(items: DataTransferItemList): Promise<Map<string, File[]>> {
  checkArguments(dropArguments, { items })
  // All of them before the first wait.
  const entries = Array.from(items).flatMap(item => item.webkitGetAsEntry() ?? [])
  const files: PlacedFile<File>[] = []
  const visit = async (entry: FileSystemEntry, folder: string): Promise<void> => {
    const path = `${folder}/${entry.name}`
    if (isDirectory(entry)) for (const child of await childrenOf(entry)) await visit(child, path)
    else files.push({ path, file: await fileOf(entry) })
  }
  for (const entry of entries) await visit(entry, 'dropped')
  return byFolder(files)
}

const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory

const fileOf = (entry: FileSystemEntry): Promise<File> =>
  answered(entry, (resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))

/** A reader gives some at a time, and none at the end. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await answered<FileSystemEntry[]>(folder, (resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return all
    all.push(...some)
  }
}

/** What a browser answers about an entry. */
const answered = <T>(
  entry: FileSystemEntry,
  ask: (resolve: (answer: T) => void, reject: (why: DOMException) => void) => void,
): Promise<T> =>
  new Promise(ask).catch((error: unknown) => {
    throw new FormatError(`'${entry.fullPath.slice(1)}' cannot be read: ${String(error)}`, { cause: error })
  }) as Promise<T>
