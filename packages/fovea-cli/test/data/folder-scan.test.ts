/** @file Claims about which images of a class folder are taken, and what is said of files that are not. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scanFolder } from '../../src/data/folder-scan.js'
import { namedImages } from './named-images.js'

const { temporary, photos, put, classFolders, scan } = namedImages()

const JPEG = Buffer.from('\xff\xd8\xff\xe0 and so on', 'latin1')

describe('the images of a class', () => {
  it('are those in all folders below it as well', () => {
    classFolders('', 4)
    put('cat/tabby', 3)
    put('cat/tabby/old', 2)
    const { train, test } = scan()
    expect(train.length + test.length).toBe(13)
    expect([...train, ...test]).toContain(join('cat', 'tabby', 'old', '1.jpg'))
  })

  it('are found behind links, each once, and a link back to where it is ends nothing', () => {
    classFolders('', 4)
    for (let i = 0; i < 3; i++) temporary.write(`elsewhere/${i}.png`, 'x')
    symlinkSync(temporary.path('elsewhere'), join(photos(), 'cat', 'more'))
    symlinkSync(temporary.path('elsewhere'), join(photos(), 'cat', 'again'))
    symlinkSync('.', join(photos(), 'cat', 'self'))
    symlinkSync('..', join(photos(), 'dog', 'up'))
    symlinkSync('nowhere', join(photos(), 'dog', 'broken'))
    const { images } = scan()
    const of = (label: number) => images.filter(image => image.label === label).length
    expect(of(0)).toBe(7)
    expect(of(1)).toBe(4 + 4 + 3) // A link to all images is a strange one, but it is followed.
  })

  it('a folder that holds but a link to itself is no data set', () => {
    mkdirSync(photos())
    symlinkSync('.', join(photos(), 'photos'))
    expect(scan).toThrow(/no images/)
  })

  it('are none of what systems leave beside them', () => {
    classFolders('', 4)
    for (const name of [
      '._0.jpg',
      '.DS_Store',
      'Thumbs.db',
      'desktop.ini',
      '.hidden/1.jpg',
      '__MACOSX/0.jpg',
      '@eaDir/0.jpg',
    ]) {
      temporary.write(`photos/cat/${name}`, 'x')
    }
    mkdirSync(join(photos(), '.ipynb_checkpoints'))
    const { classes, images, facts } = scan()
    expect([classes, images.length, facts.leftOut]).toEqual([['cat', 'dog'], 8, {}])
  })

  it('have any ending of a kind that is read, in either case; others are counted by ending', () => {
    const read = ['jpg', 'JPG', 'jpeg', 'jpe', 'jfif', 'png', 'webp', 'gif', 'tif', 'tiff', 'avif', 'TIFF']
    for (const ending of read) put('cat', 1, `.${ending}`)
    for (const ending of ['heic', 'txt', 'TXT', 'svg']) put('cat', 2, `.${ending}`)
    put('dog', 2)
    temporary.write('photos/dog/LICENSE', 'x')
    const { images, facts } = scan()
    expect(images.filter(({ label }) => label === 0).length).toBe(read.length)
    expect(facts.leftOut).toEqual({ '.heic': 2, '.txt': 4, '.svg': 2, '': 1 })
  })

  it('are known by what is in them where the ending says nothing or lies', () => {
    classFolders('', 2)
    for (const name of ['photo', 'photo.jpg_large', 'photo.heic', '2024.01.02'])
      temporary.write(`photos/cat/${name}`, JPEG)
    temporary.write('photos/cat/raw.nef', 'II*\0')
    const { images, facts } = scan()
    expect(images.length).toBe(8)
    expect(facts.leftOut).toEqual({ '.nef': 1 })
  })

  it('are one class where names differ only in their Unicode normal form, within a split and across', () => {
    const [composed, decomposed] = ['café'.normalize('NFC'), 'café'.normalize('NFD')]
    put(`train/${composed}`, 3)
    put(`train/${decomposed}`, 2)
    put('train/tea', 3)
    put(`val/${decomposed}`, 2)
    put('val/tea', 2)
    const { classes, train, test, facts } = scan()
    expect(classes).toEqual([composed, 'tea'])
    expect([train.length, test.length]).toEqual([8, 4])
    expect(facts.joined).toEqual([[join('train', decomposed), join('train', composed), join('val', decomposed)]])
  })

  it('that are none say what lies there instead', () => {
    put('cat', 3)
    put('dog', 2, '.heic')
    expect(scan).toThrow(/no images \(JPEG, .*\) in class folder '.*dog' \(it holds 2 \.heic\)/)
  })
})

it('the state changes with what is left out, so that what is said of it stays true', () => {
  classFolders('', 2)
  const { state } = scanFolder(photos())
  put('cat', 1, '.txt')
  expect(scanFolder(photos()).state).not.toBe(state)
})
