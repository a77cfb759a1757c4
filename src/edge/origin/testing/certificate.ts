import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type SelfMade = {
  readonly directory: string
  readonly certificateFile: string
  readonly key: string
  readonly certificate: string
  remove(): void
}

/** A certificate that nobody signed but itself, for these names (`DNS:a.test,IP:127.0.0.1`). */
export function makeCertificate(names: string): SelfMade {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-certificate-'))
  const [keyFile, certificateFile] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile]
  const subject = [
    '-subj',
    '/CN=origin.test',
    '-addext',
    `subjectAltName=${names}`,
    '-days',
    '2',
    '-out',
    certificateFile,
  ]
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject], { stdio: 'ignore' })
  return {
    directory,
    certificateFile,
    key: readFileSync(keyFile, 'utf8'),
    certificate: readFileSync(certificateFile, 'utf8'),
    remove: () => rmSync(directory, { recursive: true }),
  }
}
