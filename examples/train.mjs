// A small ResNet learns to tell clothes apart, on images that come with Fovea: `node examples/train.mjs`
import { resnet8, train } from 'fovea'
import { saveModel } from 'fovea-cli'
import { fashionMnist } from 'fovea-cli/data' // or cifar10(), or imageFolder('photos/')

const data = await fashionMnist()
const model = resnet8({ input: data.train.imageShape, labels: data.train.classes })
const run = await train(model, {
  data,
  epochs: 3,
  batchSize: 64,
  optimizer: { type: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
  schedule: { type: 'one-cycle', peak: 0.1 },
  loss: 'cross-entropy',
  onEpoch: ({ epoch, loss, validationAccuracy }) => console.log(epoch, loss, validationAccuracy),
})
const { accuracy } = await run.evaluate()
console.log(`${(100 * accuracy).toFixed(1)} % of the held-out images are recognized`)
await saveModel('runs/clothes.safetensors', run.model, { overwrite: true })
