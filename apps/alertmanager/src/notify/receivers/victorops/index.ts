// VictorOps (Splunk On-Call): the API and routing keys are part of the address.
import { httpConfig } from '../../../config/http-config.ts'
import {
  atMostOne,
  flag,
  optional,
  secret,
  section,
  shown,
  text,
  texts,
  url,
} from '../../../config/schema.ts'
import { checkStatus, readSecret } from '../../http/index.ts'
import { inherit, postJson, receiverKind, sorted, truncate } from '../kit.ts'

const MESSAGE_MAX = 20_480
const FIRING_TYPES = ['INFO', 'WARNING', 'CRITICAL']
const RESERVED = [
  'routing_key',
  'message_type',
  'state_message',
  'entity_display_name',
  'monitoring_tool',
  'entity_id',
  'entity_state',
]

const victoropsConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    api_key: secret(),
    api_key_file: text(),
    api_url: url(),
    routing_key: text(),
    message_type: text('CRITICAL'),
    state_message: text('{{ template "victorops.default.state_message" . }}'),
    entity_display_name: text('{{ template "victorops.default.entity_display_name" . }}'),
    monitoring_tool: text('{{ template "victorops.default.monitoring_tool" . }}'),
    custom_fields: texts(),
  },
  (config, at) => {
    if (config.routing_key === '') at.fail('missing Routing key in VictorOps config')
    atMostOne(at, config, 'api_key', 'api_key_file')
    const taken = RESERVED.find((name) => Object.hasOwn(config.custom_fields, name))
    if (taken !== undefined)
      at.fail(
        `victorOps config contains custom field ${taken} which cannot be used as it conflicts with the fixed/static fields`,
      )
  },
)

export const victorops = receiverKind({
  kind: 'victorops',
  section: victoropsConfig,
  complete(config, global, at) {
    const key = inherit(config, 'api_key', global.victorops_api_key, global.victorops_api_key_file)
    if (key.api_key + key.api_key_file === '') at.fail('no global VictorOps API Key set')
    return { ...config, ...key, api_url: (config.api_url || global.victorops_api_url).replace(/\/?$/, '/') }
  },
  create:
    (config, { http }) =>
    async ({ render, signal, groupHash, isFiring }) => {
      const show = render.text
      const key = await readSecret(config.api_key, config.api_key_file)
      const type = await show(config.message_type)
      const payload: Record<string, string> = {
        message_type: !isFiring ? 'RECOVERY' : FIRING_TYPES.includes(type) ? type : 'CRITICAL',
        entity_id: groupHash,
        entity_display_name: await show(config.entity_display_name),
        state_message: truncate(await show(config.state_message), MESSAGE_MAX),
        monitoring_tool: await show(config.monitoring_tool),
      }
      for (const [name, value] of Object.entries(config.custom_fields)) payload[name] = await show(value)
      const address = new URL(config.api_url)
      address.pathname += `${key}/${await show(config.routing_key)}`
      checkStatus(await postJson(http, address.href, sorted(payload), signal))
    },
})
