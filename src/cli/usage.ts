/** A command line that cannot be understood: said on standard error together with the usage; exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export const USAGE = `usage: tentpole <verb> [options]

  up [--config FILE] [--log text|json] [--no-sample]
        starts the platform and keeps it running until Ctrl-C
  status [--json]
        the roles and their health
  publish FILE --title NAME [--description TEXT] [--captions FILE[:LANGUAGE[:LABEL]]]... [--json]
        uploads a film, says when it can be watched and when it is complete
  titles [--json]
        every title and how far it is
  withdraw ID [--reason TEXT] [--json]
        takes a title down, everywhere within 5 seconds
  console
        prints a link to the operators' console that works once
  help, --version

The platform is the one whose home is TENTPOLE_HOME (else "home" of ./tentpole.config.ts, else ./.tentpole).
`
