/** @file `--pruning`: which weights are 0 while a model trains: `kept`, or the settings of gradual pruning, `amount=0.8`. */
import { type Pruning, trainSettings } from 'fovea'
import { commaList, UsageError } from './usage.js'

export const aboutPruning =
  'kept: weights of the model that are 0 stay 0; or settings by which more and more become 0: amount=0.8, importance=magnitude, movement or ' +
  'taylor, scope=global or uniform, pattern=2:4, from=0,until=0.75 (parts of the run), times=50'

/** @throws UsageError for an entry that is no setting with its value; SettingError for a value that it does not take */
export function pruningList(text: string): string[] {
  const entries = commaList(text)
  pruningOf(entries)
  return entries
}

/** What the entries come to. */
export function pruningOf(entries: readonly string[]): Pruning {
  if (entries.length === 1 && entries[0] === 'kept') return { type: 'kept' }
  const settings = entries.map(entry => {
    const [, name, value] = /^(\w+)=(\S+)$/.exec(entry) ?? []
    if (name === undefined || name === 'type') {
      throw new UsageError(`--pruning takes kept, or settings with their values (amount=0.8), not '${entry}'`)
    }
    return [name, Number.isNaN(Number(value)) ? value : Number(value)] as const
  })
  const pruning = { type: 'gradual', ...Object.fromEntries(settings) }
  return trainSettings.pruning.read(pruning, 'pruning') as Pruning
}
