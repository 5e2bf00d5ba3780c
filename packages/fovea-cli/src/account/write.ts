/** @file An account in the folder of the model that it is about, in all its forms. */
import { writeFileAtomic } from '../files.js'
import type { Output } from '../output.js'
import type { RunFolder } from '../run-folder.js'
import type { BeforeAndAfter } from './account.js'
import { accountPage, type LayerAccount } from './page.js'
import type { ParameterAccount } from './parameters.js'
import { accountMarkdown, accountText } from './table.js'
import { type TradeOff, tradeOffEntries, tradeOffMarkdown, tradeOffText } from './trade-off.js'

/** What a folder has beside the files of a run. The first is written last, and says that all is done. */
export const accountFiles = ['account.json', 'account.md', 'account.html'] as const

export interface AccountFile {
  readonly title: string
  readonly account: BeforeAndAfter
  /** Of each tensor. */
  readonly parameters: readonly ParameterAccount[]
  /** As JSON has them. */
  readonly layers: readonly object[]
  /** As the picture has them. */
  readonly bars: readonly LayerAccount[]
  /** What is counted of layers: `channels` */
  readonly unit: string
  /** Where several models were tried. */
  readonly tradeOff?: TradeOff
}

/** Writes and prints it, and says where it lies. */
export async function reportAccount(folder: RunFolder, file: AccountFile, output: Output): Promise<void> {
  const { account, tradeOff } = file
  output.show(`\n${accountText(account)}`)
  if (tradeOff) output.show(`\n${tradeOffText(tradeOff)}`)
  const result = { ...account, ...(tradeOff && tradeOffEntries(tradeOff)) }
  await writeAccount(folder, file, result)
  output.result(result)
  output.say(`model    ${folder.model}`)
  output.say(`account  ${folder.file('account.html')}`)
}

async function writeAccount(
  folder: RunFolder,
  { title, account, parameters, layers, bars, unit, tradeOff }: AccountFile,
  result: object,
): Promise<void> {
  const [json, markdown, html] = accountFiles.map(name => folder.file(name))
  const tried = tradeOff ? `\n${tradeOffMarkdown(tradeOff)}` : ''
  await writeFileAtomic(markdown, accountMarkdown(title, account, parameters) + tried)
  await writeFileAtomic(html, accountPage(title, account, { layers: bars, unit, ...(tradeOff && { tradeOff }) }))
  await writeFileAtomic(json, `${JSON.stringify({ ...result, layers, parameters }, null, 2)}\n`)
}
