/** @file The deepest models against torchvision's results, on the native engine in float32, and a step of ResNet in float64. */
import { agreeInFloat64, agreeNatively, deep, files } from './torchvision.js'

agreeNatively(files.filter(name => deep.test(name)))
agreeInFloat64(['resnet18_train.json'])
