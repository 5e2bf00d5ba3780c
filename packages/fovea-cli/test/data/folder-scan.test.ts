/** @file Claims about which images of a folder are taken, for what, and what is said of those that are not. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scanFolder } from '../../src/data/folder-scan.js'
import { temporaryFolder } from './temporary-folder.js'

const temporary = temporaryFolder()
const photos = () => temporary.path('photos')

/** Names of images count here, not what is in them: `put('train/cat', 3)`. */
function put(folder: string, count: number, ending = '.jpg'): void {
  for (let i = 0; i < count; i++) temporary.write(`photos/${folder}/${i}${ending}`, 'x')
}

/** `train/cat/0.jpg` … of each split. */
function scan(options = {}) {
  const { classes, images, facts } = scanFolder(photos(), options)
  const of = (split: string) => images.filter(image => image.split === split).map(({ path }) => path)
  return { classes, images, facts, train: of('train'), validation: of('validation'), test: of('test') }
}

const JPEG = Buffer.from('\xff\xd8\xff\xe0 and so on', 'latin1')
const classFolders = (split: string, count: number) => {
  for (const name of ['cat', 'dog']) put(join(split, name), count)
}

describe('the splits of a folder', () => {
  it.each(['val', 'valid', 'validation', 'dev', 'Val', 'VALID', 'valid_set', 'val2017'])(
    "%s is what is held out beside train, all of it and nothing of train's",
    name => {
      classFolders('train', 10)
      classFolders(name, 3)
      const { train, validation, test, facts } = scan()
      expect([train.length, validation.length, test.length]).toEqual([20, 0, 6])
      expect(test[0]).toBe(join(name, 'cat', '0.jpg'))
      expect(facts).toMatchObject({ sources: { train: { folder: 'train' }, test: { folder: name } }, unused: [] })
    },
  )

  it.each([
    ['train', 'val', 'test'],
    ['Train', 'Valid', 'Test'],
    ['training', 'validation', 'testing'],
    ['training_set', 'dev-set', 'test_set'],
    ['seg_train/seg_train', 'seg_val/seg_val', 'seg_test/seg_test'],
  ])('with %s, %s and %s each is for its own purpose', (train, validation, test) => {
    for (const [split, count] of [
      [train, 5],
      [validation, 3],
      [test, 2],
    ] as const) {
      classFolders(split, count)
    }
    const found = scan()
    expect([found.train.length, found.validation.length, found.test.length]).toEqual([10, 6, 4])
    expect(found.facts.sources).toEqual({
      train: { folder: join(train) },
      validation: { folder: join(validation) },
      test: { folder: join(test) },
    })
  })

  it('with train and test, what is measured while training is held out of train', () => {
    classFolders('train', 10)
    classFolders('test', 3)
    const { train, validation, test, facts } = scan()
    expect([train.length, validation.length, test.length]).toEqual([16, 4, 6])
    expect([...train, ...validation].every(path => path.startsWith('train'))).toBe(true)
    expect(test.every(path => path.startsWith('test'))).toBe(true)
    expect(facts.sources).toEqual({
      train: { folder: 'train' },
      validation: { folder: 'train', heldOut: 0.2 },
      test: { folder: 'test' },
    })
  })

  it('with train and test of an image a class, the test is all that can be measured', () => {
    classFolders('train', 1)
    classFolders('test', 1)
    const { train, validation, test } = scan()
    expect([train.length, validation.length, test.length]).toEqual([2, 0, 2])
  })

  it.each(['', 'train', 'photos', 'photos/photos', 'train/train'])(
    'classes in %j are found, and a part of each is held out',
    at => {
      classFolders(at, 10)
      temporary.write('photos/__MACOSX/photos/cat/._0.jpg', 'x')
      const { classes, train, test, facts } = scan()
      expect(classes).toEqual(['cat', 'dog'])
      expect([train.length, test.length]).toEqual([16, 4])
      expect(facts.sources).toEqual({
        train: { folder: join(at, '.') === '.' ? '' : join(at) },
        test: { folder: join(at, '.') === '.' ? '' : join(at), heldOut: 0.2 },
      })
    },
  )

  it('splits within an only folder are found', () => {
    classFolders('pets/train', 5)
    classFolders('pets/valid', 2)
    expect(scan().facts.sources).toEqual({
      train: { folder: join('pets', 'train') },
      test: { folder: join('pets', 'valid') },
    })
  })

  it('names every folder beside the splits that it does not use, and how many images it has', () => {
    classFolders('train', 10)
    classFolders('val', 3)
    put('extra/cat', 7)
    put('test', 4)
    mkdirSync(join(photos(), 'notes'))
    put('train', 2)
    const { test, facts } = scan()
    expect(test.length).toBe(6)
    expect(facts.unused).toEqual([
      { folder: 'extra', images: 7, why: "beside 'train'" },
      { folder: 'notes', images: 0, why: 'no images' },
      { folder: 'test', images: 4, why: 'no class folders' },
      { folder: 'train', images: 2, why: 'beside the class folders' },
    ])
  })

  it.each(['test', 'test/test'])('an unlabelled %s is named, and others are held out', at => {
    classFolders('train', 10)
    put(at, 5)
    const { train, test, facts } = scan()
    expect([train.length, test.length]).toEqual([16, 4])
    expect(facts.unused).toEqual([{ folder: 'test', images: 5, why: 'no class folders' }])
  })

  it('takes folders for classes where they hold images themselves, whatever they are called', () => {
    put('train', 5)
    put('car', 5)
    expect(scan().classes).toEqual(['car', 'train'])
  })

  it.each([
    [['train', 'val', 'valid'], /val' and '.*valid' could both hold the validation images; keep or name one so/],
    [['Train', 'train', 'val'], /Train' and '.*train' could both hold the train images/],
    [['val', 'test'], /beside '.*test' and '.*val' there is no folder 'train'/],
  ])('refuses %j', (splits, message) => {
    for (const split of splits) classFolders(split, 3)
    expect(scan).toThrow(message)
  })

  it('says which class a held-out folder has that is not trained on, and what it may mean', () => {
    classFolders('train', 3)
    put('val/Cat', 1)
    expect(scan).toThrow(/val' has class 'Cat', which '.*train' lacks \(it has 'cat'\); rename it/)
  })
})

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
