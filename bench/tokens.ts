import { createPrivateKey, type JsonWebKeyInput, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createId } from '../src/kernel/index.ts'

/**
 * Distinct viewers' tokens, one a line, signed here with the platform's own key: asking `POST /v1/session` a hundred
 * thousand times would warm up what is to be measured. The same form as the platform's (JWS compact, EdDSA).
 */
export function writeTokens(options: {
  viewerKeyFile: string
  file: string
  count: number
  cell: string
  country: string
}): void {
  const jwk = JSON.parse(readFileSync(options.viewerKeyFile, 'utf8')) as JsonWebKeyInput['key']
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const head = encode({ alg: 'EdDSA', typ: 'JWT' })
  const exp = Math.floor(Date.now() / 1000) + 3_600
  const { country, cell } = options
  const lines: string[] = []
  for (let index = 0; index < options.count; index++) {
    const claims = { sub: createId(), country, tier: 'standard', platform: 'web', cell, exp }
    const signed = `${head}.${encode(claims)}`
    lines.push(`${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`)
  }
  writeFileSync(options.file, `${lines.join('\n')}\n`)
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
