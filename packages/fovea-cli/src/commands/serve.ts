/** @file `fovea serve`: saved models behind HTTP. */
import { Command } from 'commander'
import { withEngineOptions } from '../engines.js'
import type { ServeOptions } from '../serve/run.js'
import { settingOption } from '../setting-option.js'
import { positiveNumber, wholeNumber } from '../usage.js'

export function serveCommand(): Command {
  return (
    withEngineOptions(new Command('serve'))
      .description('serve models over HTTP')
      .argument('<files...>', 'models that fovea saved, or folders of runs; NAME=FILE gives one another name')
      .option('--host <address>', 'address to listen at; 0.0.0.0 is all of them', '127.0.0.1')
      .option('--port <n>', 'port to listen at; 0 is a free one', wholeNumber('--port', 0, 65_535), 8080)
      .addOption(settingOption('precision').default('float32'))
      .option(
        '--max-batch <n>',
        'images of several requests that are predicted together',
        wholeNumber('--max-batch', 1, 1024),
        16,
      )
      .option(
        '--max-delay <ms>',
        'how long an image waits for others that are being decoded',
        wholeNumber('--max-delay', 0),
        5,
      )
      .option('--max-body <MiB>', "size of a request's body", positiveNumber('--max-body'), 32)
      .option('--max-pixels <megapixels>', 'size of a picture', positiveNumber('--max-pixels'), 50)
      .option(
        '--max-requests <n>',
        'requests at a time; more are told to come back (503)',
        wholeNumber('--max-requests', 1),
        256,
      )
      .option(
        '--max-queue <images>',
        'images that wait for a model, of all requests; more are told to come back (503)',
        wholeNumber('--max-queue', 1),
        1024,
      )
      .option('--timeout <seconds>', 'how long a request may take', positiveNumber('--timeout', 1_000_000), 30)
      .option(
        '--allow-origin <origin>',
        'pages of this address may read the answers, such as https://example.org; * is all',
      )
      .option('--json', 'print JSON, one object a line')
      // Loaded for this command alone: the others start faster without.
      .action(async (files: readonly string[], options: ServeOptions) =>
        (await import('../serve/run.js')).serve(files, options),
      )
  )
}
