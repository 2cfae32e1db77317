"""The models: a folder each, with its networks' use, its template and its rules. No family knows another.

Above: `loader`. Below: `runtime`, `grammar`, `nets`. What two families need moves down into these.
"""
