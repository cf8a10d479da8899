// The whole of prometheus.yml as one schema, and its printed form.
import { Document, isPair, isScalar, isSeq, visit } from 'yaml'
import { field, list, optional, struct, text, type Plain, type ValueOf } from './schema.ts'
import { alertingSection } from './sections/alerting.ts'
import { DEFAULT_GLOBAL, globalSection } from './sections/global.ts'
import { remoteReadSection, remoteWriteSection } from './sections/remote.ts'
import { scrapeSection } from './sections/scrape.ts'
import { operatorSection } from './sections/kubernetes-operator.ts'
import { otlpSection, runtimeSection, storageSection, tracingSection } from './sections/storage.ts'

const NULL_SCRAPE = { nullItem: 'empty or null scrape config section' }

/** prometheus.yml. */
export const rootSchema = struct('config.plain', {
  global: field(globalSection, { default: DEFAULT_GLOBAL, always: true }),
  runtime: field(runtimeSection, { default: { gogc: 75 } }),
  alerting: field(alertingSection),
  rule_files: field(list(text())),
  scrape_config_files: field(list(text())),
  scrape_configs: field(list(scrapeSection, NULL_SCRAPE)),
  storage: field(storageSection),
  tracing: field(tracingSection, { unsupported: true }),
  remote_write: field(remoteWriteSection, { unsupported: true }),
  remote_read: field(remoteReadSection, { unsupported: true }),
  otlp: field(otlpSection, { default: otlpSection.defaults }),
  kubernetes_operator: field(optional(operatorSection)),
})

export type RootRaw = ValueOf<typeof rootSchema>

/** A file named by scrape_config_files. */
export const scrapeFileSchema = struct('config.ScrapeConfigs', {
  scrape_configs: field(list(scrapeSection, NULL_SCRAPE)),
})

/** The configuration as `/api/v1/status/config` shows it; lists stand at the indent of their key. */
export function printYaml(root: RootRaw): string {
  return printPlain(rootSchema.encode(root))
}

function printPlain(value: Plain): string {
  const document = new Document(value ?? {}, { version: '1.1', aliasDuplicateObjects: false })
  visit(document, {
    Pair(_, pair) {
      if (isPair(pair) && isScalar(pair.key) && pair.key.value === 'source_labels' && isSeq(pair.value))
        pair.value.flow = true
    },
  })
  return document.toString({ indentSeq: false, lineWidth: 0, flowCollectionPadding: false })
}
