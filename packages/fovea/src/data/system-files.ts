/** @file What systems put beside photos: no person misses it. */

const OF_SYSTEMS = ['__macosx', '@eadir', '$recycle.bin', 'system volume information', 'lost+found']
const FILES_OF_SYSTEMS = ['thumbs.db', 'ehthumbs.db', 'desktop.ini', 'icon\r']

/** Whether a file or folder of this name is hidden, or a system's own. */
export const isOfSystem = (name: string): boolean =>
  name.startsWith('.') || [...OF_SYSTEMS, ...FILES_OF_SYSTEMS].includes(name.toLowerCase())
