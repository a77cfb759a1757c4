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
  revoke SESSION [--reason TEXT] [--json]
        ends a viewer's playback session, everywhere within 5 seconds; also while control is down
  purge --url URL | --prefix PREFIX | --tag TAG [--reason TEXT] [--json]
        drops it from every edge's cache within a second; a path means every host; also while control is down
  console
        prints a link to the operators' console that works once
  storm [--scenario NAME|FILE] [--seed N] [--baseline N] [--out DIR] [--json]
        a crowd, a spike and faults on a platform of its own; exit code 0 if every objective is met
        --target URL [--i-own-this-target HOST] [--ca FILE] [--home DIR] [--console URL --operator-token-file FILE]
                     on a platform that runs; its home lets faults strike, a console lets films be published
        --trace FILE.csv [--trace-from "YYYY-MM-DD HH:MM"] [--trace-minutes N]
                     arrivals by requests per minute, compressed into the scenario's time
        --list       the scenarios that are built in
        --self-test  measures a server whose answer is known
  storm compare A B [--json]
        two reports side by side
  edge --origin URL [--origin URL]... --listen PORT [--memory MIB] [--access-log FILE|-]
        the edge alone: a shared HTTP cache in front of any HTTP/1.1 origin
        --path-keys FILE [--public PREFIX]...
                     serves signed addresses only, and what is public: a folder, /art/, or one file, /logo.png
        --admin PORT --admin-token FILE
                     metrics and purges, on loopback, for who sends the token
  keys list [--file FILE] [--json]
        the keys that sign addresses: ids and times
  keys rotate [--now] [--file FILE [--lead TIME] [--overlap TIME]] [--json]
        a new key; the old ones verify on until what they signed is over. --now, for a leaked key: no longer
  keys create FILE
        keys for the edge alone
  keys sign --file FILE --prefix /films/x/ [--for 1h] [--session S] [--network CIDR]
        prints a token T: /v/T/films/x/... opens with it
  events tail [--pattern JSON] [--topic NAME] [--json]
        the hub's events as they happen, until Ctrl-C
  events publish FILE|- [--type TYPE] [--subject TEXT] [--json]
        one event as JSON, an array of them, or one on each line; exit code 1 if one was refused, and why
        --type, --subject   of those that do not say it themselves
  events replay --subscription NAME --from TIME [--to TIME] [--pattern JSON] [--rate EVENTS_PER_SECOND] [--json]
        what was, once more, to one subscription; TIME is now, "2h ago", 2026-11-21 or 2026-11-21T20:00:00Z. Ctrl-C leaves it running
        --list, --cancel ID   how far replays are; ends one
  events journey ID [--json]
        what became of one event: the log, each subscription, attempts and reasons
  dead-letters list [--state open|redriven|discarded] [--kind delivery|pipe] [--name NAME] [--max N] [--json]
        what could not be delivered, and what pipes refused; newest first
  dead-letters show ID [--json]
        with its payload
  dead-letters redrive ID...|--all [--kind delivery|pipe] [--name NAME] [--yes]
        once more on its way; --all, every open one, asks first
  dead-letters discard ID...|--all [--kind delivery|pipe] [--name NAME] [--yes]
        never delivered any more
  subscriptions list [--json]
        how each fares: lag, what is parked, rates, the last error
  subscriptions add NAME --pattern JSON --webhook URL|--topic NAME|--stream [--start now|beginning|TIME] [--policy JSON] [--json]
        made or changed; a webhook's secret is told once
  subscriptions remove NAME | enable NAME
        with its position and what is parked for it; one that was disabled goes on where it stopped
  spokes list [--json]
        other teams' services and what each may do
  spokes add NAME [--publish TYPE]... [--subscribe PATTERN]... [--topic NAME]... [--json]
        a new one; its token is told once. TYPE may end in "*"
  spokes remove NAME
        its token is void at once
  rules test FILE.jsonl
        event patterns tried on events, lines of {"name","pattern","event","expect"}; expect is match, no or error; exit code 0 if all agree
  schemas check [--module FILE] [--baseline DIR] [--write]
        event types against the JSON Schemas committed for them; exit code 1 if one became incompatible. --write: new and compatible ones
        --module FILE   those of a hub module; its schemas are in "schemas" beside it, unless --baseline says otherwise
  help, --version

Except for storm, rules and schemas, the platform is the one whose home is TENTPOLE_HOME (else "home" of ./tentpole.config.ts, else ./.tentpole).
`
