/**
 * @file The names and shapes of the state_dicts of torchvision 0.21, timm 1.0 and akamaster/pytorch_resnet_cifar10, generated from
 * the tables of the papers and not from our models. All have been compared with those that the libraries themselves make.
 */
export type Shapes = Map<string, readonly number[]>

class StateDict {
  readonly shapes: Shapes = new Map()

  conv(name: string, out: number, into: number, kernel = 1, bias = false): void {
    this.shapes.set(`${name}.weight`, [out, into, kernel, kernel])
    if (bias) this.shapes.set(`${name}.bias`, [out])
  }

  norm(name: string, channels: number): void {
    for (const part of ['weight', 'bias', 'running_mean', 'running_var']) this.shapes.set(`${name}.${part}`, [channels])
    this.shapes.set(`${name}.num_batches_tracked`, [])
  }

  linear(name: string, out: number, into: number): void {
    this.shapes.set(`${name}.weight`, [out, into])
    this.shapes.set(`${name}.bias`, [out])
  }
}

const resnets: Readonly<Record<string, { readonly blocks: readonly number[]; readonly expansion: number }>> = {
  resnet18: { blocks: [2, 2, 2, 2], expansion: 1 },
  resnet34: { blocks: [3, 4, 6, 3], expansion: 1 },
  resnet50: { blocks: [3, 4, 6, 3], expansion: 4 },
  resnet101: { blocks: [3, 4, 23, 3], expansion: 4 },
  resnet152: { blocks: [3, 8, 36, 3], expansion: 4 },
}

/** torchvision's and timm's alike. */
function resnet(name: string): Shapes {
  const { blocks, expansion } = resnets[name]
  const dict = new StateDict()
  dict.conv('conv1', 64, 3, 7)
  dict.norm('bn1', 64)
  let into = 64
  blocks.forEach((count, stage) => {
    const width = 64 * 2 ** stage
    for (let i = 0; i < count; i++) {
      const block = `layer${stage + 1}.${i}`
      const kernels = expansion === 1 ? [3, 3] : [1, 3, 1]
      let from = into
      kernels.forEach((kernel, at) => {
        const out = at === 2 ? width * expansion : width
        dict.conv(`${block}.conv${at + 1}`, out, from, kernel)
        dict.norm(`${block}.bn${at + 1}`, out)
        from = out
      })
      if (into !== from) {
        dict.conv(`${block}.downsample.0`, from, into)
        dict.norm(`${block}.downsample.1`, from)
      }
      into = from
    }
  })
  dict.linear('fc', 1000, into)
  return dict.shapes
}

/** akamaster's networks for CIFAR-10, with shortcuts that have no parameters. */
function cifarResnet(depth: number): Shapes {
  const dict = new StateDict()
  dict.conv('conv1', 16, 3, 3)
  dict.norm('bn1', 16)
  let into = 16
  ;[16, 32, 64].forEach((width, stage) => {
    for (let i = 0; i < (depth - 2) / 6; i++) {
      for (const at of [1, 2]) {
        dict.conv(`layer${stage + 1}.${i}.conv${at}`, width, at === 1 ? into : width, 3)
        dict.norm(`layer${stage + 1}.${i}.bn${at}`, width)
      }
      into = width
    }
  })
  dict.linear('linear', 10, 64)
  return dict.shapes
}

const scaling = [
  ...[
    [1.0, 1.0],
    [1.0, 1.1],
    [1.1, 1.2],
    [1.2, 1.4],
    [1.4, 1.8],
    [1.6, 2.2],
    [1.8, 2.6],
    [2.0, 3.1],
  ],
] as const
/** Expansion, kernel, channels, layers. */
const stages = [
  ...[
    [1, 3, 16, 1],
    [6, 3, 24, 2],
    [6, 5, 40, 2],
    [6, 3, 80, 3],
    [6, 5, 112, 3],
    [6, 5, 192, 4],
    [6, 3, 320, 1],
  ],
] as const

function scaled(channels: number, width: number): number {
  const near = Math.max(8, 8 * Math.floor((channels * width + 4) / 8))
  return near < 0.9 * channels * width ? near + 8 : near
}

/** Whose names: what a block's parts are called. */
interface Naming {
  readonly stem: readonly [string, string]
  readonly head: readonly [string, string]
  readonly classifier: string
  readonly block: (stage: number, index: number) => string
  /** Of a block that widens first, and of one that does not: convolution and norm of each part, then the two of the gate. */
  readonly parts: (widens: boolean) => readonly (readonly [string, string])[]
}

const namings: Readonly<Record<'torchvision' | 'timm', Naming>> = {
  torchvision: {
    stem: ['features.0.0', 'features.0.1'],
    head: ['features.8.0', 'features.8.1'],
    classifier: 'classifier.1',
    block: (stage, index) => `features.${stage + 1}.${index}.block.`,
    parts: widens =>
      widens
        ? [
            ['0.0', '0.1'],
            ['1.0', '1.1'],
            ['2.fc1', '2.fc2'],
            ['3.0', '3.1'],
          ]
        : [
            ['0.0', '0.1'],
            ['1.fc1', '1.fc2'],
            ['2.0', '2.1'],
          ],
  },
  timm: {
    stem: ['conv_stem', 'bn1'],
    head: ['conv_head', 'bn2'],
    classifier: 'classifier',
    block: (stage, index) => `blocks.${stage}.${index}.`,
    parts: widens => {
      const gate = ['se.conv_reduce', 'se.conv_expand'] as const
      return widens
        ? [['conv_pw', 'bn1'], ['conv_dw', 'bn2'], gate, ['conv_pwl', 'bn3']]
        : [['conv_dw', 'bn1'], gate, ['conv_pw', 'bn2']]
    },
  },
}

function efficientnet(variant: number, { stem, head, classifier, block, parts }: Naming): Shapes {
  const [width, depth] = scaling[variant]
  const dict = new StateDict()
  let into = scaled(32, width)
  dict.conv(stem[0], into, 3, 3)
  dict.norm(stem[1], into)
  stages.forEach(([expansion, kernel, channels, layers], stage) => {
    const out = scaled(channels, width)
    for (let i = 0; i < Math.ceil(layers * depth); i++) {
      const wide = into * expansion
      const names = parts(expansion !== 1).map(pair => pair.map(part => `${block(stage, i)}${part}`))
      const [project, gate, deep, widen] = names.reverse()
      if (widen) {
        dict.conv(widen[0], wide, into)
        dict.norm(widen[1], wide)
      }
      dict.conv(deep[0], wide, 1, kernel)
      dict.norm(deep[1], wide)
      dict.conv(gate[0], Math.floor(into / 4), wide, 1, true)
      dict.conv(gate[1], wide, Math.floor(into / 4), 1, true)
      dict.conv(project[0], out, wide)
      dict.norm(project[1], out)
      into = out
    }
  })
  dict.conv(head[0], 4 * into, into)
  dict.norm(head[1], 4 * into)
  dict.linear(classifier, 1000, 4 * into)
  return dict.shapes
}

/** By our name of the model, whose names, and names with shapes. */
export const stateDicts: readonly (readonly [model: string, library: string, shapes: Shapes])[] = [
  ...Object.keys(resnets).flatMap(name =>
    ['torchvision', 'timm'].map(library => [name, library, resnet(name)] as const),
  ),
  ...scaling.flatMap((_, variant) =>
    (['torchvision', 'timm'] as const).map(
      library => [`efficientnet-b${variant}`, library, efficientnet(variant, namings[library])] as const,
    ),
  ),
  ...[20, 32, 44, 56, 110].map(depth => [`resnet${depth}`, 'akamaster', cifarResnet(depth)] as const),
]
