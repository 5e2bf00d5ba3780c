/** @file What bench/speed.mjs measures. */

/** Training on photos by a recipe that augments them. */
const photos = { recipe: 'efficientnet', amx: [0.95, 0.95], other: [0.95, 0.95] }

/** Each row, how many steps a turn takes (a few seconds), and its targets in float32 and bfloat16, with tiles (AMX) and without. */
export const rows = [
  {
    model: 'resnet20',
    mode: 'train',
    batch: 128,
    size: 32,
    classes: 10,
    steps: 20,
    amx: [2.0, 3.0],
    other: [1.8, 2.0],
  },
  {
    model: 'resnet18',
    mode: 'train',
    batch: 16,
    size: 224,
    classes: 1000,
    steps: 5,
    amx: [1.8, 1.5],
    other: [1.7, 1.25],
  },
  // Small images with large weights. The peer is our own float32.
  {
    model: 'resnet18',
    mode: 'train',
    batch: 32,
    size: 28,
    steps: 20,
    beside: 'float32',
    amx: [undefined, 1.2],
    other: [undefined, 1],
  },
  {
    model: 'resnet50',
    mode: 'train',
    batch: 16,
    size: 224,
    classes: 1000,
    steps: 3,
    amx: [1.6, 1.7],
    other: [1.55, 1.25],
  },
  {
    model: 'efficientnet-b0',
    mode: 'train',
    batch: 16,
    size: 224,
    classes: 1000,
    steps: 5,
    amx: [3.5, 6],
    other: [2.7, 4],
  },
  {
    model: 'speednet',
    mode: 'train',
    batch: 1024,
    size: 32,
    classes: 10,
    steps: 5,
    amx: [undefined, 2.5],
    other: [undefined, 1.8],
  },
  {
    model: 'resnet50',
    mode: 'infer',
    batch: 16,
    size: 224,
    classes: 1000,
    steps: 6,
    amx: [1.0, 4.5],
    other: [1.0, 1.9],
  },
  {
    model: 'efficientnet-b0',
    mode: 'infer',
    batch: 16,
    size: 224,
    classes: 1000,
    steps: 12,
    amx: [1.0, 2.2],
    other: [1.0, 1.6],
  },
  { model: 'resnet50', mode: 'infer', batch: 1, size: 224, classes: 1000, steps: 30, amx: [1.15], other: [1.1] },
  { model: 'efficientnet-b0', mode: 'infer', batch: 1, size: 224, classes: 1000, steps: 60, amx: [1.15], other: [1.1] },
  // Two trainings at the same time, their images together. The peer is one alone.
  { model: 'resnet20', mode: 'two at once', batch: 128, size: 32, steps: 40, amx: [0.9, 0.9], other: [0.9, 0.9] },
  // With its data, from a packed file: read, augmented, normalized. The peer is the step alone; or with a recipe, the same training
  // without augmentation.
  { model: 'resnet20', mode: 'end to end', batch: 128, size: 32, steps: 50, amx: [0.95, 0.95], other: [0.95, 0.95] },
  { model: 'efficientnet-b0', mode: 'end to end', batch: 16, size: 224, steps: 12, ...photos },
  { model: 'resnet8', mode: 'end to end', batch: 128, size: 64, steps: 20, ...photos },
]
