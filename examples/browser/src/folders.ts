/** @file Pictures by class, from folders that were dropped or chosen: the class is the folder that a picture lies in. */

/** Files by the name of their folder. */
export type FilesByClass = ReadonlyMap<string, readonly File[]>

function byClass(files: Iterable<{ readonly folder: string; readonly file: File }>): FilesByClass {
  const classes = new Map<string, File[]>()
  for (const { folder, file } of files) {
    if (file.name.startsWith('.')) continue
    classes.set(folder, [...(classes.get(folder) ?? []), file])
  }
  return classes
}

/** Whether `<input type="file" webkitdirectory>` chooses folders. Some phones lack it. */
export const canChooseFolders = 'webkitdirectory' in HTMLInputElement.prototype

/**
 * Of `<input type="file" webkitdirectory>`.
 * @throws Error where the browser has it and yet gives files without their folders
 */
export function chosenFolders(files: readonly File[]): FilesByClass {
  const found = files.map(file => {
    const folder = file.webkitRelativePath.split('/').at(-2)
    if (folder === undefined)
      throw new Error('this browser does not tell the folders of files: add a class, and pictures to it')
    return { folder, file }
  })
  return byClass(found)
}

/** Of a drop. Call it within the event: later there is nothing to be read. */
export async function droppedFolders(items: DataTransferItemList): Promise<FilesByClass> {
  const entries = [...items].flatMap(item => item.webkitGetAsEntry() ?? [])
  const found: { folder: string; file: File }[] = []
  const visit = async (entry: FileSystemEntry, folder: string): Promise<void> => {
    if (isDirectory(entry)) for (const child of await childrenOf(entry)) await visit(child, entry.name)
    else found.push({ folder, file: await fileOf(entry as FileSystemFileEntry) })
  }
  for (const entry of entries) await visit(entry, 'dropped')
  return byClass(found)
}

const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject))

/** A reader gives some at a time, and none at the end. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return all
    all.push(...some)
  }
}
