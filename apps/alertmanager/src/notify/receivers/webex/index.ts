// Webex: a markdown message to a room.
import { httpConfig } from '../../../config/http-config.ts'
import { flag, optional, section, shown, text, url } from '../../../config/schema.ts'
import { checkStatus } from '../../http/index.ts'
import { compact, postJson, receiverKind, truncateBytes } from '../kit.ts'

const MESSAGE_BYTES_MAX = 7439

export const webex = receiverKind({
  kind: 'webex',
  section: section(
    'config.plain',
    {
      send_resolved: shown(flag(true), false),
      http_config: optional(httpConfig),
      api_url: url(),
      message: text('{{ template "webex.default.message" . }}'),
      room_id: text(),
    },
    (config, at) => {
      if (config.room_id === '') at.fail('missing room_id on webex_config')
      if (!config.http_config?.authorization) at.fail('missing webex_configs.http_config.authorization')
    },
  ),
  complete: (config, global) => ({ ...config, api_url: config.api_url || global.webex_api_url }),
  create:
    (config, { http }) =>
    async ({ render, signal }) => {
      const payload = {
        markdown: truncateBytes(await render.text(config.message), MESSAGE_BYTES_MAX),
        ...compact({ roomId: await render.text(config.room_id) }),
      }
      checkStatus(await postJson(http, config.api_url, payload, signal))
    },
})
