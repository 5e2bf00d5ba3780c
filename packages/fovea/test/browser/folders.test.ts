/** @file Claims about classes that are the folders of files. */
import { describe, expect, test } from 'vitest'
import { byFolder, chosenFolders } from '../../src/browser/folders.js'

const chosen = (...paths: string[]) =>
  paths.map(path => ({ name: path.split('/').at(-1) ?? '', webkitRelativePath: path }))
const pathsOf = (classes: ReadonlyMap<string, readonly { readonly webkitRelativePath: string }[]>) =>
  [...classes].map(([name, files]) => [name, files.map(file => file.webkitRelativePath)])

describe('chosenFolders', () => {
  test('the class of a file is the folder that it lies in; classes and files are sorted by name', () => {
    const files = chosen(
      'photos/dog/2.jpg',
      'photos/cat/b.png',
      'photos/dog/1.jpg',
      'photos/more/cat/a.png',
      'photos/c.jpg',
    )
    expect(pathsOf(chosenFolders(files))).toEqual([
      ['cat', ['photos/cat/b.png', 'photos/more/cat/a.png']],
      ['dog', ['photos/dog/1.jpg', 'photos/dog/2.jpg']],
      ['photos', ['photos/c.jpg']],
    ])
    expect(chosenFolders([]).size).toBe(0)
  })

  test('what is hidden, or what systems leave beside photos, is passed over; any other file is not', () => {
    const files = ['cat/.DS_Store', 'cat/Thumbs.db', '__MACOSX/cat/1.jpg', '.git/1.jpg', 'cat/1.jpg', 'cat/notes.txt']
    expect(pathsOf(chosenFolders(chosen(...files.map(path => `photos/${path}`))))).toEqual([
      ['cat', ['photos/cat/1.jpg', 'photos/cat/notes.txt']],
    ])
  })

  test('a name is the same however its accents are written', () => {
    expect([...chosenFolders(chosen('photos/caf\u00e9/1.jpg', 'photos/cafe\u0301/2.jpg')).keys()]).toEqual([
      'caf\u00e9',
    ])
  })

  test('files without their folders are refused, with what to do', () => {
    expect(() => chosenFolders(chosen('1.jpg'))).toThrow(
      "'1.jpg': this browser does not tell its folder; give files class by class",
    )
  })
})

test('files that were dropped lie where their paths say', () => {
  const files = ['dropped/photos/cat/1.jpg', 'dropped/2.jpg'].map(path => ({ file: path.length, path }))
  expect(byFolder(files)).toEqual(
    new Map([
      ['cat', [24]],
      ['dropped', [13]],
    ]),
  )
})
