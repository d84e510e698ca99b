/**
 * The settings of the demo's Node-RED, as text of a `settings.js`. Credentials are not encrypted, so that the demo
 * can bring its own: they protect nothing, as everything listens on the loopback interface only.
 */
export const NODE_RED_SETTINGS = `// Settings of the Node-RED of the IoTMP demo. They are made once: changes stay.
module.exports = {
  uiHost: '127.0.0.1',
  uiPort: Number(process.env.PORT || 1880),
  flowFile: 'flows.json',
  flowFilePretty: true,
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: {
    page: { title: 'IoTMP demo' },
    header: { title: 'IoTMP demo' },
    tours: false,
    projects: { enabled: false },
  },
  logging: { console: { level: 'info', metrics: false, audit: false } },
};
`;
