// What the Keras tutorials do, in their words: `node examples/keras.mjs`
import { cnn, compile } from 'fovea'
import { fashionMnist } from 'fovea-cli/data'

const { train, test } = await fashionMnist()
const classifier = compile(cnn({ input: train.imageShape, labels: train.classes }), {
  optimizer: 'adam',
  loss: 'categorical_crossentropy',
  metrics: ['accuracy'],
})
const { history } = await classifier.fit(train, { epochs: 3, batchSize: 32, validationData: test })
console.log('held-out accuracy by epoch', history.val_accuracy)
console.log(await classifier.evaluate(test))
