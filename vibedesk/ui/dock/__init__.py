"""The area under the editor: logs now, other panels later."""
