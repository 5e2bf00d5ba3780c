export const headersOf: (
  tableHeaders: Readonly<Record<string, string>>,
  interfaceHash: number,
) => Record<string, string>
export const sourcesHash: (headers: Readonly<Record<string, string>>) => string
export const filesHashes: () => Record<string, string>
