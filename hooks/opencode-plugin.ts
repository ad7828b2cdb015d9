// git-lane asks before opencode edits a file or runs a command. Written by `git lane install --harness opencode`.
import { spawnSync } from "node:child_process"

const command = @COMMAND@

function ask(payload: Record<string, unknown>) {
  const input = JSON.stringify(payload)
  return spawnSync(command, { shell: true, input, encoding: "utf8", timeout: 30000 })
}

export const GitLane = async ({ directory, worktree }: { directory: string; worktree: string }) => {
  const project = directory || worktree
  const notes = new Map<string, string>()
  return {
    "tool.execute.before": async (input: { tool: string; callID: string }, output: { args: Record<string, unknown> }) => {
      const said = ask({ event: "tool", tool: input.tool, args: output.args, cwd: directory, project })
      if (said.status !== 0) {
        throw new Error((said.stderr || "").trim() || "git-lane could not be asked, so nothing was changed: git lane doctor")
      }
      if (said.stdout) notes.set(input.callID, said.stdout.trim())
    },
    "tool.execute.after": async (input: { callID: string }, output: { output: string }) => {
      const note = notes.get(input.callID)
      if (note) output.output = `${output.output}\n\n${note}`
      notes.delete(input.callID)
    },
    "experimental.chat.system.transform": async (_input: unknown, output: { system: string[] }) => {
      const said = ask({ event: "start", cwd: directory, project })
      if (said.status === 0 && said.stdout) output.system.push(said.stdout.trim())
    },
  }
}
