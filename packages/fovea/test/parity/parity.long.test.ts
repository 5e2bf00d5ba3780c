/** @file The deepest models against torchvision's results, on the native engine in float32. */
import { agreeNatively, deep, files } from './torchvision.js'

agreeNatively(files.filter(name => deep.test(name)))
