/** @file How the hub's models are called. Loaded by every command, so it is small. */

export const HUB_PREFIX = 'hf://'

/** `hf://OWNER/NAME` and what may follow. */
export const isHub = (value: unknown): value is string => typeof value === 'string' && value.startsWith(HUB_PREFIX)
