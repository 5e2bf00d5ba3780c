/** @file Claims about commands in messages: pasted into a shell, they do what the message says, whatever a path holds. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { foveaCommand } from '../src/shell.js'
import { colorFolder, fovea, paste, temporaryFolder } from './run-fovea.js'

const awkward = "my run's $HOME (1);*\n\u001b[31m\\n\u202e"
const hasShells = process.platform !== 'win32' && spawnSync('bash', ['--version']).status === 0

test('words that need no quotes have none', () => {
  expect(foveaCommand('train', '--resume', 'runs/resnet8-2')).toBe('npx fovea train --resume runs/resnet8-2')
  expect(foveaCommand('train', '--resume', 'my run')).toBe("npx fovea train --resume 'my run'")
})

test.runIf(hasShells)('a shell reads each word as it was, and nothing in it moves a cursor', () => {
  for (const word of ['', 'a b', "it's", '$HOME', '`id`', '"', '~', '\\', 'ä', 'a\nb', "\u001b[2J'\\", awkward]) {
    const argument = foveaCommand(word).slice('npx fovea '.length)
    expect(execFileSync('bash', ['-c', `printf %s ${argument}`], { encoding: 'utf8' })).toBe(word)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the claim
    expect(argument).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  }
})

describe.runIf(hasShells)(
  'a run in a folder with such a name, on data and from a model given by relative paths',
  () => {
    const home = temporaryFolder()
    const env = { FOVEA_DATA: join(home, 'cache') }
    const settings = ['--epochs', '2', '--batch', '4', '--threads', '1']
    const args = ['train', '--from', 'model.safetensors', '--data', 'my photos', ...settings]
    let command: string
    const hintIn = (stderr: string): string => (/(?:with|start it): (npx fovea [^\n]*)\n/.exec(stderr) as string[])[1]

    beforeAll(async () => {
      await colorFolder({ train: 4, val: 2 }, join(home, 'my photos'))
      const base = ['train', 'cnn', '--data', 'my photos', '--epochs', '1', '--batch', '4', '--out', 'base']
      expect((await fovea(base, { cwd: home, env })).code).toBe(0)
      renameSync(join(home, 'base', 'model.safetensors'), join(home, 'model.safetensors'))
      const { code, stderr } = await fovea([...args, '--out', awkward], {
        ...{ cwd: home, env },
        when: { at: 'epoch 1/2', act: child => child.kill('SIGINT') },
      })
      expect(code).toBe(130)
      command = hintIn(stderr)
    })

    test('goes on when what the message says is pasted', () => {
      expect(command).toMatch(/^npx fovea train --resume \$'/)
      expect(paste(command, { cwd: home, env })).toContain('held-out accuracy')
      expect(existsSync(join(home, awkward, 'model.safetensors'))).toBe(true)
    })

    test('goes on from any other working directory', async () => {
      const resume = ['train', '--resume', join(home, awkward)]
      const { code, stderr } = await fovea(resume, { cwd: temporaryFolder(), env })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const again = await fovea([...resume, '--from', join(home, 'model.safetensors')], { cwd: temporaryFolder(), env })
      expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' })
    })

    test('is repeated by the command of its record, from any other working directory', () => {
      const { command } = JSON.parse(readFileSync(join(home, awkward, 'run.json'), 'utf8'))
      const elsewhere = temporaryFolder()
      paste(command, { cwd: elsewhere, env })
      const [first, second] = [join(home, awkward), join(elsewhere, 'runs', 'cnn')].map(out =>
        readFileSync(join(out, 'model.safetensors')),
      )
      expect(second.equals(first)).toBe(true)
    })

    test('is refused where there is one, or where there is none, with a command that can be pasted', async () => {
      const there = await fovea([...args, '--out', awkward], { cwd: home, env })
      expect(there.code).toBe(1)
      const [, resume] = /go on with it \((npx fovea .*)\) or choose/.exec(there.stderr) as string[]
      expect(paste(resume, { cwd: home, env })).toContain('held-out accuracy')
      mkdirSync(join(home, 'empty folder'))
      const none = await fovea(['train', '--resume', 'empty folder'], { cwd: home, env })
      const start = hintIn(none.stderr).replace('MODEL', 'cnn').replace('DATA', "'my photos'").replace(' N ', ' 1 ')
      expect(paste(`${start} --batch 4`, { cwd: home, env })).toContain('held-out accuracy')
    })
  },
)

test('what is said of images that cannot be read has an option of every command that reads images', async () => {
  const photos = await colorFolder({ train: 4, val: 2 })
  const bad = join(photos, 'val', 'red', '0.png')
  spawnSync('truncate', ['-s', '60', bad])
  const env = { FOVEA_DATA: join(temporaryFolder(), 'cache') }
  const args = ['compare', 'cnn', '--data', photos, '--epochs', '1', '--batch', '4', '--steps', '1']
  const refused = await fovea(args, { env })
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--skip-bad') })
  expect(await fovea([...args, '--skip-bad'], { env })).toMatchObject({ code: 0 })
  expect(await fovea(['compare', 'cnn', '--skip-bad'])).toMatchObject({
    code: 2,
    stderr: 'fovea: --skip-bad is about images: say which with --data\n',
  })
})
