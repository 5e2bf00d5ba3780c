/** @file What an addon must agree on with this version: the table of kernels, and the methods of a plan. */
import { createHash } from 'node:crypto'
import { kernelHeaders } from 'fovea/engine'

/** One more when a function of the addon (addon.ts) takes or gives something else. */
const FUNCTIONS = 2

/** An addon says in `info()` by which it was built. */
export const interfaceHash: string = createHash('sha256')
  .update(JSON.stringify([FUNCTIONS, kernelHeaders]))
  .digest('hex')
  .slice(0, 16)
