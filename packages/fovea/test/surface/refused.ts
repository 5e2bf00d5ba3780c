/** @file How plain JavaScript calls, and what it must be told. */
import { expect } from 'vitest'

/** Nothing is checked before it runs. */
export const loose = (f: unknown) => f as (...values: unknown[]) => unknown

/** Whether it throws or rejects, it is an error for its reader, and says this. */
export async function refused(call: () => unknown, message: string): Promise<void> {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      thrown => thrown as Error,
    )
  expect(error?.message).toContain(message)
  expect(error?.name).toMatch(/^(SettingError|InvalidArgumentError)$/)
}
