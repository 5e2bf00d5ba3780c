/** @file Claims about which folders hold which split, and what is said of files and folders that no split takes. */
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { namedImages } from './named-images.js'

const { temporary, photos, put, classFolders, scan } = namedImages()

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

  it.each(['', 'photos'])('names the files that lie in none of its folders, where the splits are in %j', at => {
    classFolders(join(at, 'train', 'train'), 10)
    classFolders(join(at, 'val'), 3)
    put(at, 3)
    put(at, 2, '.heic')
    put('', 1, '.csv')
    put(join(at, 'train'), 1, '.txt')
    put(join(at, 'train', 'train'), 1, '.HEIC')
    put(join(at, 'val'), 1, '.heif')
    put(join(at, 'raw'), 4, '.nef')
    mkdirSync(join(photos(), at, 'test'))
    put(join(at, 'test'), 5, '.heic')
    const { images, facts } = scan()
    expect(images.length).toBe(26)
    expect(facts.unused).toEqual([
      { folder: join(at, 'raw'), images: 0, why: 'it holds 4 .nef' },
      { folder: join(at, 'test'), images: 0, why: 'it holds 5 .heic' },
      { folder: at, images: 3, why: "beside 'train'" },
    ])
    expect(facts.leftOut).toEqual({ '.csv': 1, '.heic': 3, '.heif': 1, '.txt': 1 })
  })

  it('counts what lies beside classes alone by ending', () => {
    classFolders('', 5)
    put('', 3, '.HEIC')
    expect(scan().facts).toMatchObject({ unused: [], leftOut: { '.heic': 3 } })
  })

  it('says what a folder without images and classes holds', () => {
    put('', 3, '.HEIC')
    expect(scan).toThrow(/no images in '.*photos' \(it holds 3 \.heic\): expected a folder for each class/)
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

  it.each(['test', 'val', 'validation', 'Test', 'test/test'])(
    'refuses the classes of %s beside itself without a folder to train on, and names that folder',
    at => {
      classFolders('', 5)
      classFolders(at, 2)
      const folder = join(photos(), at.split('/')[0])
      const split = at.toLowerCase().startsWith('test') ? 'test' : 'validation'
      const message = `'${folder}' looks like ${split} images: put the class folders beside it into '${join(photos(), 'train')}'`
      expect(scan).toThrow(message)
      expect(() => scan({ purpose: 'measure' })).toThrow(message)
      for (const name of ['cat', 'dog']) {
        mkdirSync(join(photos(), 'train'), { recursive: true })
        renameSync(join(photos(), name), join(photos(), 'train', name))
      }
      expect(scan().facts.sources.train).toEqual({ folder: 'train' })
    },
  )

  it('a class that is called test, with folders of its own, is one', () => {
    classFolders('', 5)
    put('test/litmus', 3)
    put('test/blood', 3)
    expect(scan().classes).toEqual(['cat', 'dog', 'test'])
  })

  it('train is no class where it has those beside it, whatever else lies there', () => {
    classFolders('', 2)
    classFolders('train', 5)
    put('train', 1)
    const { classes, facts } = scan()
    expect(classes).toEqual(['cat', 'dog'])
    expect(facts.unused).toEqual([
      { folder: 'cat', images: 2, why: "beside 'train'" },
      { folder: 'dog', images: 2, why: "beside 'train'" },
      { folder: 'train', images: 1, why: 'beside the class folders' },
    ])
  })

  it('says which class a held-out folder has that is not trained on, and what it may mean', () => {
    classFolders('train', 3)
    put('val/Cat', 1)
    expect(scan).toThrow(/val' has class 'Cat', which '.*train' lacks \(it has 'cat'\); rename it/)
  })
})
