/** @file `hf://OWNER/NAME` wherever a command takes a file: it is downloaded first, and the command is given the folder. */
import type { Command } from 'commander'
import { loading } from '../open-data.js'
import { writeStderr } from '../stdout.js'
import { hubFolder } from './hub.js'
import { isHub } from './hub-name.js'

/** Options that name a model. */
const options = ['from', 'distill']

/** Puts folders in the place of the hub's models among what a command was given. @throws as hubFolder */
export async function fetchHubModels(command: Command): Promise<void> {
  const given: unknown[] = command.processedArgs
  for (const [i, value] of given.entries()) {
    given[i] = Array.isArray(value) ? await Promise.all(value.map(localFile)) : await localFile(value)
  }
  for (const name of options) {
    const value: unknown = command.getOptionValue(name)
    if (isHub(value)) command.setOptionValue(name, await localFile(value))
  }
}

const warn = (text: string): void => writeStderr(`${text}\n`)

async function localFile(value: unknown): Promise<unknown> {
  if (!isHub(value)) return value
  return loading({ warn }, ({ onProgress, signal }) =>
    hubFolder(value, { warn, ...(onProgress && { onProgress }), ...(signal && { signal }) }),
  )
}
