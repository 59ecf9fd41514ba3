import { readFile } from 'node:fs/promises'
import { type CsvTable, readCsv } from '@tessella/datasets'

const open = async (name: string): Promise<CsvTable> =>
  readCsv(new Uint8Array(await readFile(new URL(`../data/${name}`, import.meta.url))))

/** The tables in `data`, whose README names their sources. */
export const tables = {
  cars: () => open('auto-mpg.csv'),
  wine: () => open('wine.csv'),
  digits: () => open('digits.csv.gz'),
} as const
