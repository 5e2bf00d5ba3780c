/** @file Whether layers are weighed against each other when something of them goes. */

/** `global` lets layers lose more of which less is needed, `uniform` takes the same part of each. */
export const scopes = ['global', 'uniform'] as const
/** One of `scopes`. */
export type PruningScope = (typeof scopes)[number]
