# SPDX-License-Identifier: GPL-2.0-only

_xgd()
{
	local words='status watch check report help -r -h'

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-r)	mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")
		return ;;
	status)	words=-j ;;
	watch | check | report | help)
		words= ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -F _xgd xgd
