// Slack's own Node client as a bot: answers /deploy with a button, and a click on it by editing the message; /deploy alone
// opens a modal, whose version is searched, and whose submit is refused once.
"use strict";

const { App, LogLevel } = require("@slack/bolt");

const tell = (what, more) => process.stdout.write(JSON.stringify({ what, ...more }) + "\n");

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

const rollBack = { type: "button", action_id: "rollback", value: "api", text: { type: "plain_text", text: "Roll back api" } };

const plain = (text) => ({ type: "plain_text", text });
const option = (value) => ({ text: plain(value), value });
const input = (name, element, more) => ({
  type: "input",
  block_id: name,
  label: plain(name),
  element: { action_id: name, ...element },
  ...more,
});
const modal = {
  type: "modal",
  callback_id: "deploy",
  notify_on_close: true,
  title: plain("Deploy"),
  submit: plain("Deploy"),
  blocks: [
    input("version", { type: "external_select", min_query_length: 1 }),
    input("environment", { type: "static_select", options: ["staging", "production"].map(option) }, { dispatch_action: true }),
    input("because", { type: "plain_text_input" }, { optional: true }),
  ],
};

app.options("version", async ({ payload, ack }) => {
  tell("search", { payload });
  await ack({ options: ["v1.3", "v1.4"].filter((version) => version.includes(payload.value)).map(option) });
});

app.action("environment", async ({ body, ack, client }) => {
  await ack();
  tell("action", { payload: body });
  const title = plain(`Deploy to ${body.actions[0].selected_option.value}`);
  await client.views.update({ view_id: body.view.id, hash: body.view.hash, view: { ...modal, title } });
});

app.view("deploy", async ({ body, view, ack }) => {
  tell("submitted", { payload: body });
  if (view.state.values.because.because.value) return ack();
  await ack({ response_action: "errors", errors: { because: "Say why." } });
});

app.view({ callback_id: "deploy", type: "view_closed" }, async ({ body, ack }) => {
  await ack();
  tell("closed", { payload: body });
});

app.command("/deploy", async ({ command, ack, respond, client }) => {
  await ack();
  tell("command", { payload: command });
  if (!command.text) return client.views.open({ trigger_id: command.trigger_id, view: modal });
  await client.chat.postMessage({
    channel: command.channel_id,
    text: `Deploying ${command.text}`,
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `Deploying *${command.text}*` } },
      { type: "actions", block_id: "ways", elements: [rollBack] },
    ],
  });
  await respond({ text: "only you see this" });
});

app.action("rollback", async ({ body, ack, respond, client }) => {
  await ack();
  tell("click", { payload: body });
  await client.chat.update({ channel: body.channel.id, ts: body.message.ts, text: `rolled back by ${body.user.name}` });
  await respond({ text: "done", replace_original: false, response_type: "in_channel" });
});

app.event("app_mention", async ({ event, say }) => {
  tell("mention", { payload: event });
  await say({ text: "here", thread_ts: event.ts });
});

app.start().then(() => tell("started"));
