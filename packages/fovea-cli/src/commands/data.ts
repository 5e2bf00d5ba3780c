/** @file `fovea data`: data sets on disk: pack a folder once, look into one, download CIFAR-10. */
import { statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { Command } from 'commander'
import { type Dataset, formatBytes } from 'fovea'
import { aboutLoaded, aboutPacked, sayAboutData } from '../about-data.js'
import { cacheFolder, cifar10, type LoadedData, PACKED_EXTENSION, packImageFolder } from '../data/index.js'
import { checkNewFiles } from '../new-files.js'
import { imageSide, loading, openData } from '../open-data.js'
import { createOutput, type Output, withCommas } from '../output.js'
import { formatTable } from '../table.js'
import { oneOf } from '../usage.js'

interface DataOptions {
  readonly json?: true
  readonly out?: string
  readonly size?: number
  readonly skipBad?: true
}

export function dataCommand(): Command {
  return new Command('data')
    .description('prepare and inspect data sets')
    .addCommand(
      new Command('pack')
        .description('decode a folder of images into one file that --data takes')
        .argument('<folder>', 'train/CLASS/* with val/CLASS/*, test/CLASS/* or both, or CLASS/*')
        .option(
          '--out <file>',
          `the packed file, a new one (default: the folder's name, ending in ${PACKED_EXTENSION})`,
        )
        .option('--size <pixels>', 'side of the square that images are cropped to', imageSide)
        .option('--skip-bad', 'leave out images that cannot be read')
        .option('--json', 'print JSON')
        .action(pack),
    )
    .addCommand(
      new Command('info')
        .description('show what a data set holds')
        .argument('<data>', 'cifar10, fashion-mnist, a folder of images or a packed file')
        .option('--skip-bad', 'leave out images that cannot be read')
        .option('--json', 'print JSON')
        .action(info),
    )
    .addCommand(
      new Command('download')
        .description('fetch a data set into the cache folder')
        .argument('<name>', 'cifar10', oneOf('fovea data download', ['cifar10']))
        .option('--json', 'print JSON')
        .action(downloadSet),
    )
}

async function pack(folder: string, options: DataOptions): Promise<void> {
  const output = createOutput(options.json === true, { leavesFiles: true })
  const out = options.out ?? `${basename(resolve(folder))}${PACKED_EXTENSION}`
  const { size, skipBad = false } = options
  checkNewFiles([out], '--out')
  const manifest = await loading(output, load =>
    packImageFolder(folder, out, { ...load, skipBad, ...(size === undefined ? {} : { size }) }),
  )
  const bytes = statSync(out).size
  const about = aboutPacked(manifest)
  const { classes, imageShape, facts, sizeFrom } = manifest
  output.result({ out, classes: classes.length, imageShape, bytes, images: about.images, sizeFrom, ...facts })
  sayAboutData(folder, about, output)
  output.say(
    `${out}: ${manifest.classes.length} classes, images of ${manifest.imageShape.join('×')}, ${formatBytes(bytes)}`,
  )
}

async function info(data: string, options: DataOptions): Promise<void> {
  const output = createOutput(options.json === true)
  describe(await openData(data, output, { skipBad: options.skipBad === true }), data, output)
}

async function downloadSet(name: string, options: DataOptions): Promise<void> {
  const output = createOutput(options.json === true, { leavesFiles: true })
  const splits = await loading(output, cifar10)
  output.say(`${name} is in ${cacheFolder()}`)
  describe(splits, name, output)
}

function describe(data: LoadedData, name: string, output: Output): void {
  const { train, validation, test, facts, sizeFrom } = data
  const perClass = ({ labels, classes }: Dataset): number[] => {
    const counts = new Array<number>(classes.length).fill(0)
    for (const label of labels) counts[label]++
    return counts
  }
  const { imageShape, classes } = train
  const columns: readonly (readonly [title: string, images: Dataset])[] = [
    ['training', train],
    ...(validation ? ([['validation', validation]] as const) : []),
    [validation ? 'test' : 'held-out', test],
  ]
  const counts = columns.map(([, images]) => perClass(images))
  output.result({
    ...{ data: name, imageShape, classes, train: perClass(train) },
    ...(validation && { validation: perClass(validation) }),
    ...{ test: perClass(test), ...(sizeFrom && { sizeFrom }), ...facts },
  })
  sayAboutData(name, aboutLoaded(data), output)
  output.say(`${name}: images of ${imageShape.join('×')}, ${classes.length} classes`)
  output.show(
    formatTable(
      [{ title: 'class', shrinkTo: 8 }, ...columns.map(([title]) => ({ title, align: 'right' as const }))],
      [
        ...classes.map((label, i) => [label, ...counts.map(count => withCommas(count[i]))]),
        ['all', ...columns.map(([, images]) => withCommas(images.length))],
      ],
    ),
  )
}
