import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import english from './en/errors.json'

/** Codes that say no more than their status does: `errors.status_...` speaks for them. */
const asTheStatus = new Set([
  'conflict',
  'forbidden',
  'invalid_fields',
  'malformed',
  'not_found',
  'not_json',
  'too_large',
  'unauthenticated',
  'unsupported_type',
])

function codesOf(contract: unknown): string[] {
  if (typeof contract !== 'object' || contract === null) return []
  return Object.entries(contract).flatMap(([key, part]) =>
    key === 'x-codes' ? (part as string[]) : codesOf(part),
  )
}
const folder = '../backend/domain'
const raised = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.py'))
  .flatMap((file) =>
    [...readFileSync(`${folder}/${file}`, 'utf8').matchAll(/\bcode ?= ?"([a-z_]+)"/g)].map(
      ([, code]) => code ?? '',
    ),
  )
const codes = [...new Set([...codesOf(JSON.parse(readFileSync('../openapi.json', 'utf8'))), ...raised])]

it('has a text for every code of the contract, and for those that the domain raises', () => {
  expect(codes).toEqual(expect.arrayContaining(['already_taken', 'stale', 'not_found']))
  expect(codes.filter((code) => !(code in english) && !asTheStatus.has(code)).sort()).toEqual([])
})
