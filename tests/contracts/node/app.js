// Slack's own Node client as a bot: answers /deploy with a button, and a click on it by editing the message.
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

app.command("/deploy", async ({ command, ack, respond, client }) => {
  await ack();
  tell("command", { payload: command });
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
